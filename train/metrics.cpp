// SPDX-License-Identifier: Apache-2.0
#include "linnet/train/metrics.h"

#include "linnet/autograd/ops.h"
#include "linnet/core/error.h"

namespace linnet {
namespace {

Tensor label_indices(const Tensor& target) {
  return is_float(target.dtype()) ? argmax(target) : target.to(i64);
}

}  // namespace

double accuracy(const Tensor& prediction, const Tensor& target) {
  Tensor guess = argmax(prediction.detach()), label = label_indices(target);
  check<ShapeError>(guess.shape() == label.shape(), "accuracy: prediction ", prediction.shape(),
                    " needs labels of shape ", guess.shape(), ", got ", label.shape(), ".");
  check<ShapeError>(label.size() > 0, "accuracy: no samples.");
  auto guesses = guess.data<std::int64_t>(), labels = label.data<std::int64_t>();
  std::int64_t right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) right += guesses[i] == labels[i];
  return static_cast<double>(right) / static_cast<double>(labels.size());
}

namespace train {

Metric::Metric(double (*metric)(const Tensor&, const Tensor&))
    : name(metric == &accuracy ? "accuracy" : "metric"), function(metric) {}

}  // namespace train
}  // namespace linnet
