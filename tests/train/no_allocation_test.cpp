// SPDX-License-Identifier: Apache-2.0
// A training step after the first asks the system for nothing: neither through the pool nor through malloc or
// operator new. Loader, forward, loss, backward and optimizer together.
#include <atomic>
#include <cstddef>
#include <cstdlib>

#include "linnet/autograd/autograd.h"
#include "linnet/autograd/ops.h"
#include "linnet/core/storage.h"
#include "linnet/data/data.h"
#include "linnet/optim/optim.h"
#include "support/check_close.h"
#include "support/fixtures.h"
#include "support/workloads.h"

#if defined(__SANITIZE_ADDRESS__)
#define LINNET_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LINNET_SANITIZED 1
#endif
#endif

namespace {

/// Calls of malloc and its like in this program since it began.
std::atomic<long> system_calls{0};

}  // namespace

// The C library's own functions under our names: every allocation of this program comes by here, operator new
// included. Builds with the address sanitizer keep its functions (and tensors' headers are not pooled there).
#if !defined(LINNET_SANITIZED)
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t bytes) {
  system_calls.fetch_add(1, std::memory_order_relaxed);
  return __libc_malloc(bytes);
}
void* calloc(std::size_t count, std::size_t bytes) {
  system_calls.fetch_add(1, std::memory_order_relaxed);
  return __libc_calloc(count, bytes);
}
void* realloc(void* block, std::size_t bytes) {
  system_calls.fetch_add(1, std::memory_order_relaxed);
  return __libc_realloc(block, bytes);
}
void* memalign(std::size_t alignment, std::size_t bytes) {
  system_calls.fetch_add(1, std::memory_order_relaxed);
  return __libc_memalign(alignment, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) { return memalign(alignment, bytes); }
int posix_memalign(void** block, std::size_t alignment, std::size_t bytes) {
  *block = memalign(alignment, bytes);
  return *block ? 0 : 12;  // ENOMEM
}
}
constexpr bool kCounting = true;
#else
constexpr bool kCounting = false;
#endif

using namespace linnet;
using namespace linnet::test;

namespace {

struct Counts {
  long system = 0;
  std::int64_t pool = 0;
};

Counts counts() { return {system_calls.load(), memory_stats().system_allocations}; }

/// One step on the batch that the loader has ready, and the next batch.
class Training {
 public:
  Training(nn::Sequential model, data::TensorDataset dataset, std::int64_t batch,
           Tensor (*loss)(const Tensor&, const Tensor&))
      : model_(std::move(model)),
        dataset_(std::move(dataset)),
        adam_(model_.parameters(), {.lr = 1e-3}),
        batches_(dataset_, {.batch = batch, .shuffle = true, .drop_last = true}),
        at_(batches_.begin()),
        loss_(loss) {}

  void step() {
    if (at_ == batches_.end()) at_ = batches_.begin();
    const Tensor loss = loss_(model_(at_->x), at_->y);
    adam_.zero_grad();
    backward(loss);
    adam_.step();
    ++at_;
  }

 private:
  nn::Sequential model_;
  data::TensorDataset dataset_;
  optim::Adam adam_;
  data::Loader batches_;
  data::Loader::Iterator at_;
  Tensor (*loss_)(const Tensor&, const Tensor&);
};

/// Steps 2 to 9, over the end of an epoch of four batches. On one thread: when a helper first joins a loop,
/// and takes its scratch, is a matter of chance.
void check_no_allocation(Training& training) {
  const ThreadScope scope(1);
  release_unused_memory();  // of other tests
  training.step();
  for (int step = 2; step <= 9; ++step) {
    CAPTURE(step);
    const Counts before = counts();
    training.step();
    const Counts after = counts();
    CHECK(after.pool == before.pool);
    CHECK(after.system == before.system);
  }
}

data::TensorDataset images(std::int64_t count, std::int64_t side, std::int64_t channels) {
  return data::TensorDataset(random_labels({count, side, side, channels}, 1, 256, u8),
                             random_labels({count}, 2, 10), {.divide_by = 255.0});
}

}  // namespace

TEST_CASE("the counter of this test sees malloc, operator new and aligned blocks") {
  if (!kCounting) return;
  const long before = system_calls.load();
  std::free(std::malloc(100));
  ::operator delete(::operator new(100));
  ::operator delete (::operator new (128, std::align_val_t{64}), std::align_val_t{64});
  std::free(std::aligned_alloc(64, 128));
  CHECK(system_calls.load() >= before + 4);
}

TEST_CASE("mlp: the second and later steps ask the system for no memory, loader and optimizer included") {
  Training training{mlp_workload(), images(4 * 32, 28, 1), 32, cross_entropy};
  check_no_allocation(training);
}

TEST_CASE("cnn: the second and later steps ask the system for no memory, loader and optimizer included") {
  Training training{cnn_workload(), images(4 * 32, 28, 1), 32, cross_entropy};
  check_no_allocation(training);
}

TEST_CASE("lstm: the second and later steps ask the system for no memory, loader and optimizer included") {
  data::TensorDataset series(random_tensor({4 * 32, 50, 8}, 1), random_tensor({4 * 32, 1}, 2));
  Training training{lstm_workload(), std::move(series), 32, mse};
  check_no_allocation(training);
}

TEST_CASE(
    "mobilenet: the second and later steps ask the system for no memory, loader and optimizer included") {
  Training training{mobilenet_workload(), images(4 * 16, 96, 3), 16, cross_entropy};
  check_no_allocation(training);
}

TEST_CASE(
    "every optimizer, with a schedule and an average, asks the system for no memory after its first step") {
  const ThreadScope scope(1);
  const Tensor x = random_tensor({8, 20}, 1), y = random_labels({8}, 2, 5);
  for (const std::string& name : optim::optimizer_names()) {
    CAPTURE(name);
    nn::Sequential model{nn::Dense(20, 30), nn::Tanh(), nn::Dense(30, 5)};
    const auto optimizer = optim::make_optimizer(name, model.parameters());
    optim::EMA ema(model.parameters());
    optim::Schedule schedule =
        optim::sequence({optim::linear_lr({.steps = 4}), optim::one_cycle_lr({.steps = 50})}, {4});
    release_unused_memory();
    for (int step = 1; step <= 9; ++step) {
      CAPTURE(step);
      const Counts before = counts();
      const Tensor loss = cross_entropy(model(x), y);
      optimizer->zero_grad();
      backward(loss);
      optimizer->set_lr_factor(schedule.factor());
      optimizer->step();
      schedule.step();
      ema.update();
      const Counts after = counts();
      if (step == 1) continue;
      CHECK(after.pool == before.pool);
      CHECK(after.system == before.system);
    }
  }
}
