// SPDX-License-Identifier: Apache-2.0
// The workloads of linnet_workload.cpp as a user of libtorch would write them: the same layers, batch,
// optimizer and data, f32, shuffled anew every epoch.
#include <functional>

#include <torch/torch.h>

#include "measure.h"

namespace nn = torch::nn;
using torch::Tensor;

namespace {

Tensor numbers(at::IntArrayRef shape, bool pixels) {
  Tensor x = torch::empty(shape);
  float* value = x.data_ptr<float>();
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    const std::uint32_t bits = bench::scrambled(static_cast<std::uint64_t>(i));
    value[i] =
        pixels ? static_cast<float>(bits >> 24) / 255.0f : static_cast<float>(bits >> 8) * 0x1p-23f - 1.0f;
  }
  return x;
}

Tensor labels(std::int64_t count, std::int64_t classes) {
  Tensor y = torch::empty({count}, torch::kInt64);
  for (std::int64_t i = 0; i < count; ++i)
    y.data_ptr<std::int64_t>()[i] = bench::scrambled(static_cast<std::uint64_t>(i)) % classes;
  return y;
}

nn::Sequential mlp() {
  return nn::Sequential(nn::Flatten(), nn::Linear(784, 128), nn::ReLU(), nn::Dropout(0.2),
                        nn::Linear(128, 10));
}

nn::Sequential cnn() {
  return nn::Sequential(nn::Conv2d(nn::Conv2dOptions(1, 32, 3)), nn::ReLU(), nn::MaxPool2d(2),
                        nn::Conv2d(nn::Conv2dOptions(32, 64, 3)), nn::ReLU(), nn::MaxPool2d(2), nn::Flatten(),
                        nn::Linear(1600, 64), nn::ReLU(), nn::Linear(64, 10));
}

struct TwoLstmImpl : nn::Module {
  nn::LSTM first = register_module("first", nn::LSTM(nn::LSTMOptions(8, 50).batch_first(true)));
  nn::LSTM second = register_module("second", nn::LSTM(nn::LSTMOptions(50, 50).batch_first(true)));
  nn::Linear last = register_module("last", nn::Linear(50, 1));
  Tensor forward(const Tensor& x) {
    const Tensor sequence = std::get<0>(second(std::get<0>(first(x))));
    return last(sequence.select(1, sequence.size(1) - 1));
  }
};
TORCH_MODULE(TwoLstm);

void add_block(nn::Sequential& net, nn::Conv2dOptions options) {
  const std::int64_t out = options.out_channels();
  net->push_back(nn::Conv2d(options.bias(false)));
  net->push_back(nn::BatchNorm2d(out));
  net->push_back(nn::ReLU());
}

/// Stride 2 pads as TensorFlow's `same` does for even sizes: one row and column at the end.
void add_padded(nn::Sequential& net, nn::Conv2dOptions options, std::int64_t stride) {
  if (stride == 2) net->push_back(nn::ZeroPad2d(nn::ZeroPad2dOptions({0, 1, 0, 1})));
  add_block(net, options.stride(stride).padding(stride == 2 ? 0 : 1));
}

nn::Sequential mobilenet() {
  nn::Sequential net;
  std::int64_t in = 8;
  add_padded(net, nn::Conv2dOptions(3, in, 3), 2);
  const std::int64_t blocks[][2] = {{16, 1},  {32, 2},  {32, 1},  {64, 2},  {64, 1},  {128, 2}, {128, 1},
                                    {128, 1}, {128, 1}, {128, 1}, {128, 1}, {256, 2}, {256, 1}};
  for (const auto& [out, stride] : blocks) {
    add_padded(net, nn::Conv2dOptions(in, in, 3).groups(in), stride);
    add_block(net, nn::Conv2dOptions(in, out, 1));
    in = out;
  }
  net->push_back(nn::AdaptiveAvgPool2d(1));
  net->push_back(nn::Flatten());
  net->push_back(nn::Linear(in, 10));
  return net;
}

struct Data {
  Tensor x, y;
};

Data data_of(const std::string& workload) {
  const std::int64_t count = bench::samples_of(workload);
  if (workload == "lstm") return {numbers({count, 50, 8}, false), numbers({count, 1}, false)};
  const std::int64_t side = workload == "mobilenet" ? 96 : 28, channels = workload == "mobilenet" ? 3 : 1;
  return {numbers({count, channels, side, side}, true), labels(count, 10)};
}

template <class Model>
double speed(const bench::Request& request, Model model, Data data, bool channels_last, double seconds) {
  if (channels_last) {
    for (Tensor& parameter : model->parameters())
      if (parameter.dim() == 4) parameter.set_data(parameter.contiguous(at::MemoryFormat::ChannelsLast));
    data.x = data.x.contiguous(at::MemoryFormat::ChannelsLast);
  }
  torch::optim::Adam adam(model->parameters(), torch::optim::AdamOptions(1e-3));
  const std::int64_t count = data.x.size(0);
  Tensor order = torch::randperm(count);
  std::int64_t at = 0;
  return bench::samples_per_second(seconds, [&] {
    if (at + request.batch > count) {
      order = torch::randperm(count);
      at = 0;
    }
    const Tensor chosen = order.slice(0, at, at + request.batch);
    at += request.batch;
    const Tensor prediction = model->forward(data.x.index_select(0, chosen)),
                 y = data.y.index_select(0, chosen);
    const Tensor loss = y.dtype() == torch::kInt64 ? nn::functional::cross_entropy(prediction, y)
                                                   : nn::functional::mse_loss(prediction, y);
    adam.zero_grad();
    loss.backward();
    adam.step();
    return request.batch;
  });
}

/// Images in the memory layout that is faster in a short trial of both: the larger of two whole measurements
/// would be the one with less noise.
double fastest(const bench::Request& request) {
  const std::string& name = request.workload;
  const Data data = data_of(name);
  if (name == "mlp") return speed(request, mlp(), data, false, request.seconds);
  if (name == "lstm") return speed(request, TwoLstm(), data, false, request.seconds);
  const auto make = name == "cnn" ? cnn : mobilenet;
  const auto measure = [&](bool channels_last, double seconds) {
    return speed(request, make(), data, channels_last, seconds);
  };
  const double trial = request.seconds / 2;
  return measure(measure(true, trial) > measure(false, trial), request.seconds);
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Request request = bench::parse(argc, argv);
  at::set_num_threads(request.threads);
  at::set_num_interop_threads(1);
  torch::manual_seed(request.seed);
  const double result = fastest(request);
  std::printf("samples_per_second %.6g\npeak_rss_bytes %lld\n", result,
              static_cast<long long>(bench::peak_rss_bytes()));
}
