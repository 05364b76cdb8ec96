// SPDX-License-Identifier: Apache-2.0
#include "linnet/data/loader.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <numeric>
#include <span>
#include <thread>

#include "linnet/core/error.h"
#include "linnet/core/profile.h"

namespace linnet::data {
namespace {

constexpr int kMostPrefetched = 64;

std::int64_t count_batches(std::int64_t samples, const LoaderOptions& options) {
  check<ValueError>(options.batch >= 1, "Loader: batch must be at least 1: ", options.batch, ".");
  check<ValueError>(options.prefetch >= 0 && options.prefetch <= kMostPrefetched,
                    "Loader: prefetch must be 0..", kMostPrefetched, ": ", options.prefetch, ".");
  check<ValueError>(samples > 0, "Loader: the dataset is empty.");
  check<ValueError>(!options.drop_last || samples >= options.batch,
                    "Loader: drop_last leaves nothing: ", samples, " samples, batch ", options.batch,
                    ". Use a smaller batch or keep the last one.");
  return options.drop_last ? samples / options.batch : (samples - 1) / options.batch + 1;
}

/// The samples of batch `number`.
std::span<const std::int64_t> part(const std::vector<std::int64_t>& order, std::int64_t batch,
                                   std::int64_t number) {
  const auto begin = static_cast<std::size_t>(number * batch);
  return std::span(order).subspan(begin, std::min(static_cast<std::size_t>(batch), order.size() - begin));
}

std::int64_t integer(const State& state, const char* name) {
  const StateValue* value = state.find(name);
  check<StateError>(value && value->is_integer(), "Loader: expected an integer '", name,
                    "' in the state, got ", value ? value->kind() : "none", ".");
  return value->integer();
}

}  // namespace

/// One thread that prepares the batches [first, last) of an order, at most `depth` ahead.
class Loader::Prefetcher {
 public:
  Prefetcher(const Loader& loader, std::int64_t first)
      : loader_(loader), thread_([this, first] { prepare(first); }) {}
  ~Prefetcher() {
    {
      const std::lock_guard guard(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  /// The next batch in order; rethrows what the dataset threw when it was asked for it.
  Batch next() {
    std::unique_lock guard(mutex_);
    changed_.wait(guard, [this] { return !ready_.empty() || error_; });
    if (ready_.empty()) std::rethrow_exception(error_);
    Batch batch = std::move(ready_.front());
    ready_.pop_front();
    changed_.notify_all();
    return batch;
  }

 private:
  void prepare(std::int64_t first) noexcept {
    try {
      for (std::int64_t number = first; number < loader_.batches_; ++number) {
        if (!wait_for_room()) return;
        Batch batch = loader_.batch_at(number);
        const std::lock_guard guard(mutex_);
        ready_.push_back(std::move(batch));
        changed_.notify_all();
      }
    } catch (...) {
      const std::lock_guard guard(mutex_);
      error_ = std::current_exception();
      changed_.notify_all();
    }
  }

  /// False when nobody wants more.
  bool wait_for_room() {
    std::unique_lock guard(mutex_);
    const auto depth = static_cast<std::size_t>(loader_.options_.prefetch);
    changed_.wait(guard, [this, depth] { return stopping_ || ready_.size() < depth; });
    return !stopping_;
  }

  const Loader& loader_;  ///< its order, dataset and options do not change while this thread runs
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Batch> ready_;
  std::exception_ptr error_;
  bool stopping_ = false;
  std::thread thread_;  ///< last: it uses all of the above
};

Loader::Loader(const Dataset& dataset, LoaderOptions options)
    : dataset_(dataset),
      options_(options),
      samples_(dataset.size()),
      batches_(count_batches(samples_, options)) {}

Loader::~Loader() = default;

void Loader::arrange() {
  const profile::Scope scope("shuffle");
  order_.resize(static_cast<std::size_t>(samples_));
  std::iota(order_.begin(), order_.end(), std::int64_t{0});
  if (options_.shuffle) Rng(order_key_).shuffle(order_.data(), samples_);
}

Loader::Iterator Loader::begin() {
  prefetcher_.reset();
  if (!running_) {
    order_key_ = options_.shuffle || dataset_.random() ? next_random_key() : RandomKey{};
    running_ = true;
  }
  arrange();
  if (options_.prefetch > 0 && !dataset_.in_memory() && position_ < batches_)
    prefetcher_ = std::make_unique<Prefetcher>(*this, position_);
  return Iterator(advance() ? this : nullptr);
}

Batch Loader::batch_at(std::int64_t number) const {
  return dataset_.epoch_batch(part(order_, options_.batch, number), order_key_);
}

bool Loader::advance() {
  const profile::Scope scope("data");
  current_ = {};  // its memory serves the next batch
  if (position_ < batches_) {
    current_ = prefetcher_ ? prefetcher_->next() : batch_at(position_);
    ++position_;
    return true;
  }
  prefetcher_.reset();
  running_ = false;
  position_ = 0;
  ++epoch_;
  return false;
}

void Loader::restart() {
  prefetcher_.reset();
  current_ = {};
  running_ = false;
  position_ = 0;
}

std::uint64_t Loader::content_hash() const {
  if (!hashed_) content_hash_ = dataset_.content_hash();
  hashed_ = true;
  return content_hash_;
}

State Loader::state() const {
  return {{"epoch", epoch_},
          {"position", position_},
          {"running", std::int64_t{running_}},
          {"order_seed", static_cast<std::int64_t>(order_key_.seed)},
          {"order_call", static_cast<std::int64_t>(order_key_.call)},
          {"batch", options_.batch},
          {"shuffle", std::int64_t{options_.shuffle}},
          {"drop_last", std::int64_t{options_.drop_last}},
          {"samples", samples_},
          {"content_hash", static_cast<std::int64_t>(content_hash())}};
}

void Loader::load(const State& state) {
  const State mine = this->state();
  for (const auto& [name, value] : state)
    check<StateError>(mine.has(name), "Loader: unexpected '", name, "' in the state.");
  const std::int64_t samples = integer(state, "samples");
  check<StateError>(samples == samples_, "Loader: the data changed: ", samples, " samples when saved, ",
                    samples_, " now. Resume with the same data.");
  check<StateError>(integer(state, "content_hash") == integer(mine, "content_hash"),
                    "Loader: the data changed: still ", samples_,
                    " samples, but other contents than when saved. Resume with the same data.");
  const std::int64_t running = integer(state, "running"), position = integer(state, "position");
  if (running)
    for (const char* name : {"batch", "shuffle", "drop_last"})
      check<StateError>(integer(state, name) == integer(mine, name),
                        "Loader: saved in the middle of an epoch with ", name, " ", integer(state, name),
                        ", now ", integer(mine, name), ". Use the same options.");
  const std::int64_t epoch = integer(state, "epoch");
  check<StateError>(
      epoch >= 0 && position >= 0 && position <= (running ? batches_ : 0) && (running == 0 || running == 1),
      "Loader: no such place: epoch ", epoch, ", batch ", position, " of ", batches_, ".");
  const RandomKey key{static_cast<std::uint64_t>(integer(state, "order_seed")),
                      static_cast<std::uint64_t>(integer(state, "order_call"))};
  restart();
  epoch_ = epoch;
  position_ = position;
  running_ = running == 1;
  order_key_ = key;
}

}  // namespace linnet::data
