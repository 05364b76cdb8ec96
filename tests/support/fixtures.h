// SPDX-License-Identifier: Apache-2.0
#pragma once
// What tests need around them: tensors with given random contents, settings that restore themselves,
// temporary folders, data sets that may not be there.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "linnet/core/isa.h"
#include "linnet/core/parallel.h"
#include "linnet/core/random.h"
#include "linnet/core/tensor.h"

namespace linnet::test {

/// Uniform in [low, high); a function of the seed only, independent of manual_seed(). f32 and f64 tensors of
/// one seed hold the same values, rounded.
Tensor random_tensor(const Shape& shape, std::uint64_t seed, double low = -1.0, double high = 1.0,
                     DType dtype = f32);
/// Whole numbers in [0, n), e.g. labels.
Tensor random_labels(const Shape& shape, std::uint64_t seed, std::int64_t n, DType dtype = i64);

/// Sets the number of threads until the end of the block.
class ThreadScope {
 public:
  explicit ThreadScope(int threads) : before_(num_threads()) { set_num_threads(threads); }
  ~ThreadScope() { set_num_threads(before_); }
  ThreadScope(const ThreadScope&) = delete;

 private:
  int before_;
};

/// Forces an instruction set until the end of the block.
class IsaScope {
 public:
  explicit IsaScope(Isa isa) : before_(active_isa()) { set_active_isa(isa); }
  ~IsaScope() { set_active_isa(before_); }
  IsaScope(const IsaScope&) = delete;

 private:
  Isa before_;
};

/// A fresh empty folder, removed with its contents at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

struct ProcessResult {
  bool passed = false;
  std::string output;
};
/// Runs one test case of this executable, usually one marked skip(), in a process of its own with the
/// environment settings given ("LINNET_THREADS=0"): for what happens once in a program, or ends it.
ProcessResult run_in_own_process(const std::string& test_case, const std::string& settings = "");

/// CHECK that the test case passes in a process of its own; prints its report otherwise.
#define CHECK_PASSES_IN_OWN_PROCESS(...)                                         \
  do {                                                                           \
    const auto linnet_process = ::linnet::test::run_in_own_process(__VA_ARGS__); \
    CHECK_MESSAGE(linnet_process.passed, linnet_process.output);                 \
  } while (false)

std::string text_of(const std::filesystem::path& file);
std::vector<std::uint8_t> read_bytes(const std::string& file);
void write_bytes(const std::string& file, const std::vector<std::uint8_t>& bytes);

/// Gradient rules that backward runs while work() does.
std::int64_t gradient_rules_run(const std::function<void()>& work);

/// The folder of a data set ("mnist") below $LINNET_DATA, datasets/ or ../shared/data of the source tree;
/// empty, after a line that says so, when it is nowhere: the test then returns.
std::string data_folder(const std::string& name);

}  // namespace linnet::test
