// SPDX-License-Identifier: Apache-2.0
// Trains one of the workloads of docs/performance.md with Linnet and prints its speed and memory.
#include <functional>
#include <vector>

#include "measure.h"
#include "networks.h"

using namespace linnet;

namespace {

Tensor images(std::int64_t count, std::int64_t side, std::int64_t channels) {
  Tensor x = Tensor::empty({count, side, side, channels}, u8);
  std::uint64_t i = 0;
  for (std::uint8_t& pixel : x.mutable_data<std::uint8_t>())
    pixel = static_cast<std::uint8_t>(bench::scrambled(i++) >> 24);
  return x;
}

Tensor labels(std::int64_t count, std::int64_t classes) {
  Tensor y = Tensor::empty({count}, i64);
  std::uint64_t i = 0;
  for (std::int64_t& label : y.mutable_data<std::int64_t>()) label = bench::scrambled(i++) % classes;
  return y;
}

Tensor series(const Shape& shape) {
  Tensor x = Tensor::empty(shape);
  std::uint64_t i = 0;
  for (float& value : x.mutable_data<float>())
    value = static_cast<float>(bench::scrambled(i++) >> 8) * 0x1p-23f - 1.0f;
  return x;
}

struct Workload {
  nn::Sequential model;
  data::TensorDataset dataset;
  Tensor (*loss)(const Tensor&, const Tensor&);
};

Workload make(const std::string& name) {
  const std::int64_t count = bench::samples_of(name);
  const data::TensorDatasetOptions pixels{.divide_by = 255.0};
  nn::Sequential model = bench::network(name).model;
  if (name == "lstm")
    return {std::move(model), data::TensorDataset(series({count, 50, 8}), series({count, 1})), mse};
  const std::int64_t side = name == "mobilenet" ? 96 : 28, channels = name == "mobilenet" ? 3 : 1;
  return {std::move(model), data::TensorDataset(images(count, side, channels), labels(count, 10), pixels),
          cross_entropy};
}

}  // namespace

int main(int argc, char** argv) try {
  const bench::Request request = bench::parse(argc, argv);
  set_num_threads(request.threads);
  manual_seed(request.seed);
  Workload workload = make(request.workload);
  optim::Adam adam(workload.model.parameters(), {.lr = 1e-3});
  data::Loader batches(workload.dataset, {.batch = request.batch, .shuffle = true, .drop_last = true});
  auto at = batches.begin();
  const double speed = bench::samples_per_second(request.seconds, [&] {
    if (at == batches.end()) at = batches.begin();
    const Tensor loss = workload.loss(workload.model(at->x), at->y);
    adam.zero_grad();
    backward(loss);
    adam.step();
    ++at;
    return request.batch;
  });
  std::printf("samples_per_second %.6g\npeak_rss_bytes %lld\npool_peak_bytes %lld\n", speed,
              static_cast<long long>(bench::peak_rss_bytes()),
              static_cast<long long>(memory_stats().peak_bytes));
} catch (const Error& error) {
  std::fprintf(stderr, "linnet_workload: %s\n", error.what());
  return 2;
}
