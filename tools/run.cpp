// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>

#include "commands.h"
#include "image.h"
#include "linnet/core/error.h"
#include "linnet/io/npy.h"
#include "model_file.h"

namespace linnet::tools {
namespace {

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

/// The preprocessing that the file names, applied to u8 pixels.
Tensor preprocessed(const Tensor& pixels, const std::string& preprocess) {
  check<ValueError>(preprocess == "pixels/255", "run: the model's preprocessing \"", preprocess,
                    "\" is not known here. Pass the prepared input as .npy.");
  Tensor x = pixels.to(f32);
  for (float& value : x.mutable_data<float>()) value /= 255.0f;
  return x;
}

/// [1, 28, 28] and [28, 28] are the same picture, [14, 56] is another.
bool same_picture(const Shape& given, const Shape& expected) {
  auto longer_axes = [](const Shape& shape) {
    std::vector<std::int64_t> sizes(shape.begin(), shape.end());
    std::erase(sizes, 1);
    return sizes;
  };
  auto a = longer_axes(given), b = longer_axes(expected);
  return a == b || (given.size() == expected.size() && (a.size() <= 1 || b.size() <= 1));
}

Tensor read_input(const RuntimeModel& model, const std::string& path) {
  Shape sample = model.input_shape().without(0);
  if (ends_with(path, ".png")) {
    Tensor pixels = read_png(path, sample.rank() == 3 ? sample[2] : 1);
    check<ShapeError>(same_picture(pixels.shape(), sample), "run: the model takes images of shape ", sample,
                      ", ", path, " is ", pixels.shape(), ". Crop or scale it first.");
    return preprocessed(pixels, model.meta("preprocess"));
  }
  check<ValueError>(ends_with(path, ".npy"), "run: ", path, " is neither .npy nor .png.");
  Tensor x = io::read_npy(path);
  check<ShapeError>(same_picture(x.shape(), sample), "run: the model takes one sample of shape ", sample,
                    ", ", path, " holds ", x.shape(), ".");
  return x.dtype() == u8 && !model.meta("preprocess").empty() ? preprocessed(x, model.meta("preprocess"))
                                                              : x.to(f32);
}

/// Microseconds of each of `repeat` runs, sorted.
std::vector<double> timed_runs(RuntimeModel& model, const Tensor& x, std::int64_t repeat) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> times;
  for (std::int64_t i = 0; i < repeat; ++i) {
    auto start = Clock::now();
    model.run(x);
    times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
  }
  std::sort(times.begin(), times.end());
  return times;
}

}  // namespace

void run(const RunArguments& arguments) {
  const std::string& out = arguments.out;
  if (!out.empty()) {
    check_output("run", out, arguments.file);
    check_output("run", out, arguments.input);
  }
  arguments.common.apply();
  RuntimeModel model(arguments.file);
  Tensor x = read_input(model, arguments.input), y = model.run(x);
  std::vector<double> times = timed_runs(model, x, arguments.repeat);
  if (!out.empty()) written([&] { io::write_npy(out, y); });
  auto values = y.data<float>();
  std::int64_t top = std::max_element(values.begin(), values.end()) - values.begin();
  arguments.common.print({{"output", std::vector<float>(values.begin(), values.end())},
                          {"top", top},
                          {"latency_us_median", times[times.size() / 2]},
                          {"latency_us_p99", times[times.size() * 99 / 100]}});
}

}  // namespace linnet::tools
