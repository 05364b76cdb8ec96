// SPDX-License-Identifier: Apache-2.0
#pragma once
// The linnet command, run in a folder of its own as a person would.
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/check_close.h"
#include "support/fixtures.h"

namespace linnet::test {

struct Outcome {
  int code = 0;
  std::string out, err;
  nlohmann::json json() const {  // of the last line
    auto end = out.find_last_not_of('\n');
    auto begin = out.rfind('\n', end);
    return nlohmann::json::parse(out.substr(begin == std::string::npos ? 0 : begin + 1));
  }
};

/// One folder for each test case, and the program run in it.
class Shell {
 public:
  Outcome operator()(const std::string& arguments, const std::string& environment = "") {
    std::string command = "cd " + folder_.path().string() + " && " + environment + " " LINNET_TOOL " " +
                          arguments + " >out 2>err";
    int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, text_of(folder_ / "out"), text_of(folder_ / "err")};
  }
  std::string path(const std::string& name) const { return folder_ / name; }
  bool exists(const std::string& name) const { return std::filesystem::exists(folder_ / name); }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
      if (entry.path().filename() != "out" && entry.path().filename() != "err")
        names.push_back(entry.path().filename().string());
    return names;
  }

 private:
  TemporaryFolder folder_;
};

inline const std::string kQuick = "train mnist-mlp --data synthetic --limit 640 --epochs 2 --seed 5 --json ";

inline std::string weights(Shell& shell, const std::string& file) {
  return shell("inspect " + file + " --json").json()["weights_sha256"];
}

/// Exit code, no result, and one line "linnet: ..." that holds `text` and ends standard error.
inline void check_refused(const Outcome& outcome, const std::string& text, int code = 2) {
  INFO(outcome.err);
  CHECK(outcome.code == code);
  CHECK(outcome.out.empty());
  const std::string line = outcome.err.substr(std::min(outcome.err.find("linnet: "), outcome.err.size()));
  CHECK(line.find(text) != std::string::npos);
  CHECK(std::count(line.begin(), line.end(), '\n') == 1);
}

}  // namespace linnet::test
