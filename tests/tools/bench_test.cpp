// SPDX-License-Identifier: Apache-2.0
// `linnet bench` and scripts/bench_compare.py: that they report, not what they report.
#include <fstream>

#include "tools/shell.h"

using namespace linnet::test;

namespace {

int compared(Shell& shell, const std::string& old, const std::string& now) {
  std::ofstream(shell.path("old.json")) << "some text\n" << old << "\n";
  std::ofstream(shell.path("new.json")) << now << "\n";
  const std::string command = "python3 " LINNET_SOURCE_DIR "/scripts/bench_compare.py " +
                              shell.path("old.json") + " " + shell.path("new.json") + " >" +
                              shell.path("out") + " 2>&1";
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::string row(double speed, double spread = 0.01) {
  return R"([{"workload":"mlp","batch":32,"threads":1,"peak_rss_bytes":1000,"samples_per_second":)" +
         std::to_string(speed) + ",\"spread\":" + std::to_string(spread) + "}]";
}

}  // namespace

TEST_CASE("bench prints the documented figures for every workload that is asked for") {
  Shell shell;
  Outcome outcome = shell("bench mlp lstm --rounds 1 --seconds 0.03 --threads 1 --json");
  REQUIRE(outcome.code == 0);
  nlohmann::json list = outcome.json();
  REQUIRE(list.size() == 3);
  CHECK(list[0]["workload"] == "mlp");
  CHECK(list[1]["batch"] == 128);
  CHECK(list[2]["workload"] == "lstm");
  for (const nlohmann::json& object : list) {
    CHECK(object["threads"] == 1);
    CHECK(object["samples_per_second"].get<double>() > 0.0);
    CHECK(object["peak_rss_bytes"].get<double>() > object["pool_peak_bytes"].get<double>());
    CHECK(object["ratio"].is_null());
    CHECK(object["peer_samples_per_second"].is_null());
  }
}

TEST_CASE("bench measures two threads beside one, by turns") {
  Shell shell;
  const nlohmann::json list =
      shell("bench lstm --threads 2 --peer one-thread --rounds 1 --seconds 0.05 --json").json();
  REQUIRE(list.size() == 1);
  CHECK(list[0]["threads"] == 2);
  CHECK(list[0]["ratio"].get<double>() ==
        list[0]["samples_per_second"].get<double>() / list[0]["peer_samples_per_second"].get<double>());
}

TEST_CASE("bench refuses what it does not know") {
  Shell shell;
  check_refused(shell("bench vgg"),
                "linnet: bench: unknown workload vgg. There are: mlp, cnn, lstm, mobilenet.\n");
  check_refused(shell("bench mlp --peer caffe"),
                "linnet: bench: unknown peer caffe. There are: libtorch, one-thread.\n");
}

TEST_CASE("bench_compare fails on a slower workload, beyond tolerance and spread, and on nothing else") {
  Shell shell;
  CHECK(compared(shell, row(1000.0), row(950.0)) == 0);
  CHECK(compared(shell, row(1000.0), row(850.0)) == 1);
  CHECK(compared(shell, row(1000.0, 0.1), row(850.0, 0.1)) == 0);
  CHECK(compared(shell, row(1000.0), row(2000.0)) == 0);
  CHECK(compared(shell, "[]", row(1.0)) == 0);
  CHECK(compared(shell, "no result", row(1.0)) == 1);
}
