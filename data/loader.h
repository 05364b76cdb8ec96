// SPDX-License-Identifier: Apache-2.0
#pragma once
// Loader: goes over a dataset in batches, epoch after epoch.
//
//   data::Loader batches(digits, {.batch = 32, .shuffle = true});
//   for (const auto& [x, y] : batches) ...        // one epoch
//
// The order of an epoch, and what Dataset::epoch_batch changes at random, are functions of one call number of
// the library's generator, taken when the epoch begins (only when something is random). They depend neither
// on prefetching nor on threads. state() inside the loop body counts the batch that the body holds as done; a
// fresh Loader that loads it goes on with the next one.

#include <cstdint>
#include <iterator>
#include <memory>
#include <vector>

#include "linnet/core/random.h"
#include "linnet/core/state.h"
#include "linnet/data/dataset.h"

namespace linnet::data {

struct LoaderOptions {
  std::int64_t batch = 32;
  bool shuffle = false;
  bool drop_last = false;  ///< leave out a last batch that is not full
  /// Batches that a thread prepares ahead; 0: none. Results do not depend on it. Data that lie in memory
  /// (Dataset::in_memory) are copied on the spot, which takes less time than waking a thread.
  int prefetch = 2;
};

class Loader {
 public:
  /// `dataset` must outlive the loader. ValueError for an empty dataset, options out of range, or drop_last
  /// that would leave nothing.
  Loader(const Dataset& dataset, LoaderOptions options = {});
  Loader(const Dataset&& dataset, LoaderOptions options = {}) = delete;
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  class Iterator {
   public:
    using value_type = Batch;
    using difference_type = std::ptrdiff_t;
    using reference = const Batch&;
    using pointer = const Batch*;
    using iterator_category = std::input_iterator_tag;

    const Batch& operator*() const { return loader_->current_; }
    const Batch* operator->() const { return &loader_->current_; }
    Iterator& operator++() {
      if (!loader_->advance()) loader_ = nullptr;
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& a, const Iterator& b) { return a.loader_ == b.loader_; }

   private:
    friend class Loader;
    explicit Iterator(Loader* loader) : loader_(loader) {}
    Loader* loader_;
  };

  /// Begins the next epoch, or goes on with one that a `break`, an exception or load() left unfinished (its
  /// remaining batches, possibly none). What the dataset throws comes out here and in operator++.
  Iterator begin();
  Iterator end() { return Iterator(nullptr); }
  /// Gives up an unfinished epoch: begin() then starts it anew, in a new order.
  void restart();

  std::int64_t size() const { return samples_; }       ///< samples in the dataset
  std::int64_t batches() const { return batches_; }    ///< batches in an epoch
  std::int64_t epoch() const { return epoch_; }        ///< finished epochs
  std::int64_t position() const { return position_; }  ///< batches of the running epoch handed out so far
  const Dataset& dataset() const { return dataset_; }
  const LoaderOptions& options() const { return options_; }

  State state() const;
  /// StateError when the data are not those of the saved run, or when the state is in the middle of an epoch
  /// that was cut in another way (batch, shuffle, drop_last). Changes nothing then.
  void load(const State& state);

 private:
  class Prefetcher;

  bool advance();
  Batch batch_at(std::int64_t number) const;
  void arrange();  ///< order_ from order_key_
  std::uint64_t content_hash() const;

  const Dataset& dataset_;
  const LoaderOptions options_;
  const std::int64_t samples_, batches_;
  std::int64_t epoch_ = 0, position_ = 0;
  bool running_ = false;  ///< an epoch has begun and is not finished
  RandomKey order_key_;
  std::vector<std::int64_t> order_;
  Batch current_;
  std::unique_ptr<Prefetcher> prefetcher_;
  mutable std::uint64_t content_hash_ = 0;
  mutable bool hashed_ = false;
};

}  // namespace linnet::data
