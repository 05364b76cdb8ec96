// SPDX-License-Identifier: Apache-2.0
// LINNET_PROFILE, from outside: the table on standard error, and a trace that a JSON reader accepts.
#include <map>

#include "tools/shell.h"

using namespace linnet::test;

namespace {

const std::string kTrain = "train mnist-mlp --data synthetic --limit 320 --epochs 1 --threads 1 --out a.ckpt";

struct Times {
  double begin, end;
};

}  // namespace

TEST_CASE("LINNET_PROFILE=1 prints the table when the command ends, and nothing is printed without it") {
  Shell shell;
  const Outcome with = shell(kTrain, "LINNET_PROFILE=1"), without = shell(kTrain, "LINNET_PROFILE=0");
  CHECK(with.code == 0);
  CHECK(with.err.find("\n0 (Dense") == std::string::npos);
  CHECK(with.err.find("dense backward") != std::string::npos);
  CHECK(with.err.find("\n1 (Dense 784 -> 128)") != std::string::npos);
  CHECK(without.err.find("profile") == std::string::npos);
  CHECK(shell.files().size() == 2);  // the checkpoint and the one before it
}

TEST_CASE("LINNET_PROFILE=FILE writes trace events that parse, one a call, each op inside its layer") {
  Shell shell;
  REQUIRE(shell(kTrain, "LINNET_PROFILE=trace.json").code == 0);
  const nlohmann::json trace = nlohmann::json::parse(text_of(shell.path("trace.json")));
  std::map<std::string, int> calls;
  std::vector<Times> layers;
  for (const nlohmann::json& event : trace["traceEvents"]) {
    CHECK(event["ph"] == "X");
    ++calls[event["cat"].get<std::string>() + " " + event["name"].get<std::string>()];
    const double begin = event["ts"];
    if (event["cat"] == "layer" && event["name"] == "1 (Dense 784 -> 128)")
      layers.push_back({begin, begin + event["dur"].get<double>()});
  }
  CHECK(calls["backward dense backward"] == 20);  // two layers, 320 samples in batches of 32
  CHECK(calls["scope optimizer step"] == 10);
  CHECK(calls["forward dense"] > 20);  // and the evaluations
  for (const nlohmann::json& event : trace["traceEvents"]) {
    if (event["cat"] != "forward" || event["args"]["layer"] != "1 (Dense 784 -> 128)") continue;
    CHECK(event["args"]["flop"].get<double>() > 0.0);
    const double begin = event["ts"], end = begin + event["dur"].get<double>();
    // Times are written to the nanosecond.
    CHECK(std::any_of(layers.begin(), layers.end(),
                      [&](const Times& t) { return t.begin <= begin + 0.002 && end <= t.end + 0.002; }));
  }
}

TEST_CASE("a profile that cannot be written is said, and the run is good all the same") {
  Shell shell;
  const Outcome outcome = shell(kTrain, "LINNET_PROFILE=missing/trace.json");
  CHECK(outcome.code == 0);
  CHECK(outcome.err.find("profile: missing/trace.json cannot be written.") != std::string::npos);
}
