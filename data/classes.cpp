// SPDX-License-Identifier: Apache-2.0
#include "linnet/data/classes.h"

#include <algorithm>

#include "linnet/core/dtype.h"
#include "linnet/core/error.h"
#include "linnet/data/content_hash.h"
#include "linnet/data/over_samples.h"

namespace linnet::data {
namespace {

/// Place in `classes`, -1 for a label that is not among them.
std::int64_t place_of(const std::vector<std::int64_t>& classes, std::int64_t label) {
  const auto found = std::ranges::find(classes, label);
  return found == classes.end() ? -1 : found - classes.begin();
}

void check_classes(const std::vector<std::int64_t>& classes, const ClassesOptions& options) {
  check<ValueError>(!classes.empty(), "OfClasses: no class is named.");
  check<ValueError>(options.per_class >= 0, "OfClasses: per_class must not be negative: ", options.per_class,
                    ".");
  for (std::size_t i = 0; i < classes.size(); ++i)
    check<ValueError>(place_of(classes, classes[i]) == static_cast<std::int64_t>(i), "OfClasses: class ",
                      classes[i], " is named twice.");
}

/// The samples to keep; all that is wrong is said before anything is made.
std::vector<std::int64_t> chosen(const Dataset& dataset, const std::vector<std::int64_t>& classes,
                                 const ClassesOptions& options) {
  check_classes(classes, options);
  const std::vector<std::int64_t> labels = labels_of(dataset);
  std::vector<std::int64_t> indices, found(classes.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::int64_t place = place_of(classes, labels[i]);
    if (place < 0) continue;
    std::int64_t& count = found[static_cast<std::size_t>(place)];
    if (options.per_class > 0 && count == options.per_class) continue;
    ++count;
    indices.push_back(static_cast<std::int64_t>(i));
  }
  const std::int64_t least = std::max<std::int64_t>(options.per_class, 1);
  for (std::size_t i = 0; i < classes.size(); ++i)
    check<ValueError>(found[i] >= least, "OfClasses: class ", classes[i], " has ", found[i], " of ", least,
                      " samples; the labels go from ", *std::ranges::min_element(labels), " to ",
                      *std::ranges::max_element(labels), ".");
  return indices;
}

}  // namespace

std::vector<std::int64_t> labels_of(const Dataset& dataset) {
  std::vector<std::int64_t> labels;
  labels.reserve(static_cast<std::size_t>(dataset.size()));
  over_batches(dataset, [&](const Batch& some) {
    const Tensor& y = some.y;
    check<ValueError>(y.defined(), "labels: the dataset has none.");
    check<DTypeError>(!is_float(y.dtype()) && y.rank() == 1,
                      "labels: expected one whole number a sample, got ", y.dtype(), " ", y.shape(), ".");
    const Tensor whole = y.to(i64);
    const auto values = whole.data<std::int64_t>();
    labels.insert(labels.end(), values.begin(), values.end());
  });
  return labels;
}

OfClasses::OfClasses(std::shared_ptr<const Dataset> dataset, std::vector<std::int64_t> classes,
                     ClassesOptions options)
    : Subset(dataset, chosen(*dataset, classes, options)), classes_(std::move(classes)) {}
OfClasses::OfClasses(const Dataset& dataset, std::vector<std::int64_t> classes, ClassesOptions options)
    : OfClasses(borrowed(dataset), std::move(classes), options) {}

Batch OfClasses::renumbered(Batch batch) const {
  Tensor labels = batch.y.to(i64).clone();
  for (std::int64_t& label : labels.mutable_data<std::int64_t>()) label = place_of(classes_, label);
  batch.y = labels;
  return batch;
}

Batch OfClasses::batch(std::span<const std::int64_t> indices) const {
  return renumbered(Subset::batch(indices));
}

Batch OfClasses::epoch_batch(std::span<const std::int64_t> indices, RandomKey epoch) const {
  return renumbered(Subset::epoch_batch(indices, epoch));
}

std::uint64_t OfClasses::content_hash() const {
  ContentHash hash;
  hash.add(Subset::content_hash()).add(std::as_bytes(std::span(classes_)));
  return hash.value();
}

}  // namespace linnet::data
