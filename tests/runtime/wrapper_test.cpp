// SPDX-License-Identifier: Apache-2.0
// The C++ header around the C runtime.
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "linnet/runtime/linnet_runtime.hpp"
#include "model_builder.h"

namespace linnet::test {

TEST_CASE("the C++ model runs, says its shapes and META, and may be moved") {
  runtime::Model first(small_model().bytes());
  CHECK(first.input_shape() == std::vector<std::uint32_t>{1, 2, 3});
  CHECK(first.output_shape() == std::vector<std::uint32_t>{1, 3});
  CHECK(first.meta("task") == "classification");
  CHECK(first.meta("nothing").empty());
  std::fill(first.input<float>().begin(), first.input<float>().end(), 0.5f);
  first.run();
  const std::vector<float> y(first.output<float>().begin(), first.output<float>().end());
  CHECK(y.size() == 3);

  runtime::Model second = std::move(first);
  std::fill(second.input<float>().begin(), second.input<float>().end(), 0.5f);
  second.set_isa(LNT_SCALAR);
  second.run();
  for (std::size_t i = 0; i < y.size(); ++i) CHECK(std::abs(second.output<float>()[i] - y[i]) < 1e-6f);
}

TEST_CASE("the C++ model has quantized inputs and outputs") {
  ModelBuilder m;
  const auto x = m.quantized_input({3}, {-5, {0.5f}});
  m.output(m.quantized(m.op(LNT_RESHAPE, {x}, {1, 3}), {-5, {0.5f}}));
  runtime::Model model(m.file().bytes());
  CHECK(model.input<std::int8_t>().size() == 3);
  CHECK(model.input_view().scale == 0.5f);
  CHECK(model.output_view().zero == -5);
  CHECK_THROWS_AS(model.input<float>(), runtime::Error);
  model.input<std::int8_t>()[2] = -77;
  model.run();
  CHECK(model.output<std::int8_t>()[2] == -77);
}

TEST_CASE("the C++ model runs its golden cases") {
  runtime::Model model(golden_model().bytes());
  CHECK(model.self_test().cases == 8);
  CHECK(model.self_test().failed == 0);
  File file = golden_model();
  file.gold.back() ^= 0x40;
  CHECK(runtime::Model(file.bytes()).self_test().failed == 1);
  CHECK_THROWS_WITH_AS(runtime::Model(small_model().bytes()).self_test(),
                       "file has no golden cases. Export it with them.", runtime::Error);
}

TEST_CASE("a model read from a file does not notice when the file is cut short, overwritten or gone") {
  const auto path =
      std::filesystem::temp_directory_path() / ("linnet_" + std::to_string(getpid()) + ".linnet");
  const Bytes bytes = golden_model().bytes();
  const auto write = [&](std::size_t length, std::uint8_t changed) {
    std::ofstream stream(path, std::ios::binary | std::ios::trunc);
    for (std::size_t i = 0; i < length; ++i) stream.put(static_cast<char>(bytes[i] ^ changed));
  };
  write(bytes.size(), 0);
  runtime::Model model = runtime::Model::read(path.string());
  CHECK(model.self_test().failed == 0);
  write(10, 0);
  CHECK(model.self_test().failed == 0);
  write(bytes.size(), 0xFF);
  CHECK(model.self_test().failed == 0);
  CHECK_THROWS_AS(runtime::Model::read(path.string()), runtime::Error);
  std::filesystem::remove(path);
  CHECK(model.self_test().failed == 0);
  CHECK_THROWS_WITH_AS(runtime::Model::read(path.string()),
                       (path.string() + ": cannot be read. Is the name right?").c_str(), runtime::Error);
  CHECK_THROWS_AS(runtime::Model::read("/"), runtime::Error);  // a folder
}

TEST_CASE("the C++ model throws what the runtime refuses") {
  Bytes bytes = small_model().bytes();
  bytes.pop_back();
  try {
    runtime::Model model(bytes);
    FAIL("a file cut short was taken");
  } catch (const runtime::Error& error) {
    CHECK(error.status() == LNT_E_TRUNCATED);
    CHECK(std::string(error.what()) ==
          "lnt_check: file cut short: header, byte 16: expected 1142, got 1141. Copy or export it again.");
  }
  runtime::Model model(small_model().bytes());
  CHECK_THROWS_AS(model.input<float>(1), runtime::Error);
  CHECK_THROWS_AS(model.input<std::int32_t>(), runtime::Error);
  CHECK_THROWS_AS(runtime::Model(nullptr, 0), runtime::Error);
}

}  // namespace linnet::test
