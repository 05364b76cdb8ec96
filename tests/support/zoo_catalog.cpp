// SPDX-License-Identifier: Apache-2.0
#include "support/zoo_catalog.h"

#include "linnet/autograd/autograd.h"
#include "linnet/autograd/ops.h"
#include "support/fixtures.h"

namespace linnet::test {
namespace {

namespace zoo = nn::zoo;

template <class Make>
auto made(Make make) {
  return [make]() -> std::unique_ptr<nn::Layer> { return std::make_unique<nn::Sequential>(make()); };
}

void add_full_size(std::vector<ZooCase>& rows) {
  const auto add = [&](const char* name, std::int64_t parameters, std::int64_t statistics, std::int64_t macs,
                       std::function<std::unique_ptr<nn::Layer>()> make) {
    rows.push_back({name, {224, 224, 3}, parameters, statistics, macs, std::move(make), true});
  };
  add("MobileNetV1", 4'231'976, 21'888, 568'740'352, made([] { return zoo::mobilenet_v1(); }));
  add("MobileNetV2", 3'504'872, 34'112, 300'774'272, made([] { return zoo::mobilenet_v2(); }));
  add("ShuffleNetV2 0.5", 1'366'792, 7'952, 40'476'448,
      made([] { return zoo::shufflenet_v2({.width = 0.5}); }));
  add("ShuffleNetV2", 2'278'604, 16'180, 144'907'992, made([] { return zoo::shufflenet_v2(); }));
  add("EfficientNet-Lite0", 4'652'008, 42'016, 385'187'552, made([] { return zoo::efficientnet_lite(); }));
}

void add_images(std::vector<ZooCase>& rows) {
  const auto add = [&](const char* name, std::int64_t side, std::int64_t parameters, std::int64_t statistics,
                       std::int64_t macs, std::function<std::unique_ptr<nn::Layer>()> make) {
    rows.push_back({name, {side, side, 3}, parameters, statistics, macs, std::move(make)});
  };
  const auto v1 = made([] { return zoo::mobilenet_v1({.width = 0.25, .classes = 10}); });
  add("MobileNetV1 0.25, 96x96", 96, 215'642, 5'472, 7'491'712, v1);
  add("MobileNetV1 0.25, 32x32", 32, 215'642, 5'472, 834'688, v1);
  const auto v2 = made([] { return zoo::mobilenet_v2({.width = 0.35, .classes = 10}); });
  add("MobileNetV2 0.35, 96x96", 96, 408'938, 14'080, 10'666'928, v2);
  add("MobileNetV2 0.35, 32x32", 32, 408'938, 14'080, 1'196'592, v2);
  add("ShuffleNetV2 0.5, 96x96", 96, 352'042, 7'952, 7'256'608,
      made([] { return zoo::shufflenet_v2({.width = 0.5, .classes = 10}); }));
  add("EfficientNet-Lite 0.35, 96x96", 96, 565'226, 16'640, 14'505'968,
      made([] { return zoo::efficientnet_lite({.width = 0.35, .classes = 10}); }));
  add("ResNet-8", 32, 78'186, 480, 12'501'632, made([] { return zoo::resnet8(); }));
}

}  // namespace

const std::vector<ZooCase>& zoo_catalog() {
  static const std::vector<ZooCase> all = [] {
    std::vector<ZooCase> rows;
    add_full_size(rows);
    add_images(rows);
    rows.push_back({"DS-CNN", {49, 10, 1}, 23'756, 1'152, 2'656'768, made([] { return zoo::ds_cnn(); })});
    rows.push_back(
        {"dense autoencoder", {640}, 267'928, 2'064, 264'192, made([] { return zoo::dense_autoencoder(); })});
    rows.push_back({"LSTM 50-50-1", {50, 8}, 32'051, 0, 1'580'050, made([] { return zoo::stacked_lstm(); })});
    return rows;
  }();
  return all;
}

Tensor zoo_input(const ZooCase& row, std::int64_t batch, std::uint64_t seed) {
  return random_tensor(row.sample.inserted(0, batch), seed);
}

double train_zoo_step(nn::Layer& model, const ZooCase& row) {
  constexpr float kRate = 0.01f;
  model.train();
  const Tensor y = model(zoo_input(row, 4, 1)), loss = mean(square(y) + y);
  model.zero_grad();
  backward(loss);
  for (const auto& [name, parameter] : model.parameters()) {
    Tensor weight = parameter;
    auto to = weight.mutable_data<float>();
    for (std::size_t i = 0; i < to.size(); ++i) to[i] -= kRate * weight.grad().data<float>()[i];
  }
  model.zero_grad();
  return loss.item();
}

}  // namespace linnet::test
