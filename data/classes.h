// SPDX-License-Identifier: Apache-2.0
#pragma once
// Some classes of a dataset, for a model that tells only those apart.
//
//   data::OfClasses few(digits, {5, 6, 7, 8, 9}, {.per_class = 20});      // 100 samples, labels 0 .. 4

#include <cstdint>
#include <memory>
#include <vector>

#include "linnet/data/dataset.h"

namespace linnet::data {

/// The label of every sample, as i64. ValueError without labels, DTypeError unless they are whole numbers,
/// one a sample. Asks for all samples once.
std::vector<std::int64_t> labels_of(const Dataset& dataset);

struct ClassesOptions {
  std::int64_t per_class = 0;  ///< the first so many samples of each class; 0: all
};

/// The samples of the named classes, in the order of the dataset. The first class named gets label 0, the
/// next 1, and so on: labels are i64.
class OfClasses : public Subset {
 public:
  /// ValueError for no class, one named twice, one without samples or with fewer than per_class, and what
  /// labels_of() refuses.
  OfClasses(std::shared_ptr<const Dataset> dataset, std::vector<std::int64_t> classes,
            ClassesOptions options = {});
  /// The same on a dataset that outlives this one.
  OfClasses(const Dataset& dataset, std::vector<std::int64_t> classes, ClassesOptions options = {});
  OfClasses(const Dataset&& dataset, std::vector<std::int64_t>, ClassesOptions = {}) = delete;

  const std::vector<std::int64_t>& classes() const { return classes_; }
  Batch batch(std::span<const std::int64_t> indices) const override;
  Batch epoch_batch(std::span<const std::int64_t> indices, RandomKey epoch) const override;
  std::uint64_t content_hash() const override;

 private:
  Batch renumbered(Batch batch) const;

  std::vector<std::int64_t> classes_;
};

}  // namespace linnet::data
