// SPDX-License-Identifier: Apache-2.0
// One epoch of mnist-mlp as a user of libtorch would write it, for scripts/bench_epoch.py: reads the gzipped
// IDX files, trains the network of `linnet train mnist-mlp` with Adam on shuffled batches of 32, tests it on
// the test images and saves it. Usage: torch_mnist DIR OUT THREADS SEED
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <zlib.h>

#include <torch/torch.h>

namespace nn = torch::nn;
using torch::Tensor;

namespace {

/// The bytes of a gzipped IDX file behind its header of `axes` sizes.
std::vector<std::uint8_t> read_idx(const std::string& path, int axes, std::int64_t* count) {
  gzFile file = gzopen(path.c_str(), "rb");
  if (!file) {
    std::fprintf(stderr, "%s: cannot be read\n", path.c_str());
    std::exit(2);
  }
  std::uint8_t header[16];
  gzread(file, header, static_cast<unsigned>(4 + 4 * axes));
  std::int64_t total = 1;
  for (int axis = 0; axis < axes; ++axis) {
    const std::uint8_t* at = header + 4 + 4 * axis;
    const std::int64_t size = at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
    if (axis == 0) *count = size;
    total *= size;
  }
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(total));
  gzread(file, bytes.data(), static_cast<unsigned>(total));
  gzclose(file);
  return bytes;
}

struct Split {
  Tensor x, y;
  Split(const std::string& dir, const std::string& name) {
    std::int64_t n = 0;
    std::vector<std::uint8_t> pixels = read_idx(dir + "/" + name + "-images-idx3-ubyte.gz", 3, &n);
    x = torch::from_blob(pixels.data(), {n, 1, 28, 28}, torch::kUInt8).to(torch::kFloat32).div_(255);
    std::vector<std::uint8_t> labels = read_idx(dir + "/" + name + "-labels-idx1-ubyte.gz", 1, &n);
    y = torch::from_blob(labels.data(), {n}, torch::kUInt8).to(torch::kInt64);
  }
};

void train(nn::Sequential& model, const Split& data) {
  torch::optim::Adam adam(model->parameters(), torch::optim::AdamOptions(1e-3));
  const Tensor order = torch::randperm(data.x.size(0));
  for (const Tensor& chosen : order.split(32)) {
    const Tensor loss = nn::functional::cross_entropy(model->forward(data.x.index_select(0, chosen)),
                                                      data.y.index_select(0, chosen));
    adam.zero_grad();
    loss.backward();
    adam.step();
  }
}

double accuracy(nn::Sequential& model, const Split& data) {
  const torch::NoGradGuard no_grad;
  model->eval();
  return model->forward(data.x).argmax(1).eq(data.y).to(torch::kFloat32).mean().item<double>();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: %s DIR OUT THREADS SEED\n", argv[0]);
    return 2;
  }
  at::set_num_threads(std::atoi(argv[3]));
  at::set_num_interop_threads(1);
  torch::manual_seed(std::strtoull(argv[4], nullptr, 10));
  const Split digits(argv[1], "train"), held_out(argv[1], "t10k");
  nn::Sequential model(nn::Flatten(), nn::Linear(784, 128), nn::ReLU(), nn::Dropout(0.2),
                       nn::Linear(128, 10));
  train(model, digits);
  std::printf("test_accuracy %.4f\n", accuracy(model, held_out));
  torch::save(model, argv[2]);
}
