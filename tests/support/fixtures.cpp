// SPDX-License-Identifier: Apache-2.0
#include "support/fixtures.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <system_error>
#include <type_traits>

#include <doctest/doctest.h>

#include "linnet/core/profile.h"

namespace linnet::test {
namespace fs = std::filesystem;
namespace {

/// Streams of tests: far from the call numbers that a generator reaches.
constexpr std::uint64_t kTestStream = std::uint64_t{1} << 62;

template <class Draw>
Tensor drawn(const Shape& shape, DType dtype, Draw&& draw) {
  Tensor tensor = Tensor::empty(shape, dtype);
  dispatch(dtype, [&](auto zero) {
    using T = decltype(zero);
    // Through int64: a negative double has no value as an unsigned byte, an integer wraps around.
    using Step = std::conditional_t<std::is_integral_v<T>, std::int64_t, T>;
    for (T& value : tensor.mutable_data<T>()) value = static_cast<T>(static_cast<Step>(draw()));
  });
  return tensor;
}

}  // namespace

Tensor random_tensor(const Shape& shape, std::uint64_t seed, double low, double high, DType dtype) {
  Rng rng(seed, kTestStream);
  return drawn(shape, dtype, [&] { return rng.uniform(low, high); });
}

Tensor random_labels(const Shape& shape, std::uint64_t seed, std::int64_t n, DType dtype) {
  Rng rng(seed, kTestStream + 1);
  return drawn(shape, dtype, [&] { return rng.below(n); });
}

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (fs::temp_directory_path() / "linnet-test-XXXXXX").string();
  REQUIRE(::mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

ProcessResult run_in_own_process(const std::string& test_case, const std::string& settings) {
  const TemporaryFolder folder;
  const std::string report = folder / "report", program = fs::read_symlink("/proc/self/exe").string();
  const std::string command = settings + " " LINNET_EMULATOR " '" + program + "' --no-skip --test-case='" +
                              test_case + "' > '" + report + "' 2>&1";
  const bool passed = std::system(command.c_str()) == 0;
  const std::vector<std::uint8_t> bytes = read_bytes(report);
  const std::string output(bytes.begin(), bytes.end());
  REQUIRE_MESSAGE(output.find("test cases: 0 |") == std::string::npos, "no test case '", test_case, "'");
  return {passed, output};
}

std::string text_of(const fs::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::uint8_t> read_bytes(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  REQUIRE_MESSAGE(in.good(), "cannot read ", file);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::int64_t gradient_rules_run(const std::function<void()>& work) {
  profile::start();
  work();
  const profile::Report report = profile::report();
  profile::stop();
  std::int64_t calls = 0;
  for (const profile::Row& row : report.rows)
    if (row.phase == profile::Phase::backward) calls += row.calls;
  return calls;
}

void write_bytes(const std::string& file, const std::vector<std::uint8_t>& bytes) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  REQUIRE_MESSAGE(out.good(), "cannot write ", file);
}

std::string data_folder(const std::string& name) {
  const fs::path source = LINNET_SOURCE_DIR;
  std::vector<fs::path> places{source / "datasets", source / "../shared/data"};
  if (const char* chosen = std::getenv("LINNET_DATA")) places.insert(places.begin(), chosen);
  for (const fs::path& place : places)
    if (fs::is_directory(place / name)) return (place / name).string();
  MESSAGE("skipped: no data set '", name, "' here (scripts/fetch_datasets.sh gets it)");
  return {};
}

}  // namespace linnet::test
