// SPDX-License-Identifier: Apache-2.0
#include "linnet/compress/cluster.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <utility>

#include "linnet/core/constraint.h"
#include "linnet/core/error.h"
#include "linnet/core/name_pattern.h"
#include "linnet/core/parallel.h"
#include "linnet/core/random.h"

namespace linnet::compress {
namespace {

constexpr std::int64_t kMostClusters = 256;  // groups are of one byte
constexpr std::int64_t kMostRounds = 1000;

/// Values in rising order and their running sums: sums[b] - sums[a] is that of values a .. b-1.
struct Sorted {
  std::vector<double> values, sums{0.0};

  explicit Sorted(std::vector<double> v) : values(std::move(v)) {
    std::sort(values.begin(), values.end());
    sums.reserve(values.size() + 1);
    for (const double value : values) sums.push_back(sums.back() + value);
  }
  std::size_t size() const { return values.size(); }
  double mean(std::size_t begin, std::size_t end) const {
    return (sums[end] - sums[begin]) / static_cast<double>(end - begin);
  }
  std::size_t distinct() const {
    std::size_t count = 0;
    for (std::size_t i = 0; i < size(); ++i) count += i == 0 || values[i] != values[i - 1];
    return count;
  }
};

using Centroids = std::vector<double>;  // rising

Centroids linear_start(const Sorted& sorted, std::size_t k) {
  const double first = sorted.values.front(), range = sorted.values.back() - first;
  Centroids c(k);
  for (std::size_t i = 0; i < k; ++i)
    c[i] = first + range * static_cast<double>(i) / static_cast<double>(k - 1);
  return c;
}

Centroids density_start(const Sorted& sorted, std::size_t k) {
  Centroids c(k);
  for (std::size_t i = 0; i < k; ++i) c[i] = sorted.values[(2 * i + 1) * sorted.size() / (2 * k)];
  return c;
}

/// Each next one is value i with probability D_i / sum D, D_i the squared distance to the nearest so far.
Centroids plus_plus_start(const Sorted& sorted, std::size_t k, Rng random) {
  const std::vector<double>& v = sorted.values;
  Centroids c{v[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(v.size())))]};
  std::vector<double> square(v.size(), std::numeric_limits<double>::infinity());
  while (c.size() < k) {
    double total = 0.0;
    for (std::size_t i = 0; i < v.size(); ++i) {
      const double distance = v[i] - c.back();
      square[i] = std::min(square[i], distance * distance);
      total += square[i];
    }
    const double drawn = random.uniform() * total;
    double sum = 0.0;
    std::size_t next = 0;
    while (next + 1 < v.size() && (sum += square[next]) <= drawn) ++next;
    c.push_back(v[next]);
  }
  std::sort(c.begin(), c.end());
  return c;
}

/// Values cut[i] .. cut[i + 1] - 1 are nearest to centroid i.
using Cuts = std::vector<std::size_t>;

Cuts cuts_between(const Sorted& sorted, const Centroids& c) {
  Cuts cut(c.size() + 1, 0);
  for (std::size_t i = 1; i < c.size(); ++i)
    cut[i] = static_cast<std::size_t>(
        std::upper_bound(sorted.values.begin() + static_cast<std::ptrdiff_t>(cut[i - 1]), sorted.values.end(),
                         0.5 * (c[i - 1] + c[i])) -
        sorted.values.begin());
  cut.back() = sorted.size();
  return cut;
}

/// The smallest value of each cluster that has any.
struct Clusters {
  std::vector<double> firsts;
  std::int64_t iterations = 0;
};

Clusters lloyd(const Sorted& sorted, Centroids c) {
  Clusters clusters;
  Cuts cut = cuts_between(sorted, c);
  for (Cuts before; clusters.iterations < kMostRounds && cut != before;) {
    for (std::size_t i = 0; i < c.size(); ++i)
      if (cut[i] < cut[i + 1]) c[i] = sorted.mean(cut[i], cut[i + 1]);
    before = std::exchange(cut, cuts_between(sorted, c));
    ++clusters.iterations;
  }
  for (std::size_t i = 0; i < c.size(); ++i)
    if (cut[i] < cut[i + 1]) clusters.firsts.push_back(sorted.values[cut[i]]);
  return clusters;
}

Clusters find_clusters(const Sorted& sorted, const ClusterOptions& options, std::size_t place) {
  const auto k = static_cast<std::size_t>(options.clusters);
  if (sorted.distinct() <= k) {
    Clusters own{sorted.values};
    own.firsts.erase(std::unique(own.firsts.begin(), own.firsts.end()), own.firsts.end());
    return own;
  }
  switch (options.start) {
    case ClusterStart::linear:
      return lloyd(sorted, linear_start(sorted, k));
    case ClusterStart::density:
      return lloyd(sorted, density_start(sorted, k));
    case ClusterStart::plus_plus:
      break;
  }
  return lloyd(sorted, plus_plus_start(sorted, k, Rng(options.seed, place)));
}

/// A parameter and what it is to become.
struct Plan {
  NamedTensor parameter;
  std::size_t place;  ///< among the parameters of the model
  Tensor mask = {}, groups = {};
  std::span<const std::uint8_t> keep = {};  ///< the mask's
  std::vector<double> before = {};
  ClusteredLayer layer = {};

  bool masked(std::size_t i) const { return !keep.empty() && keep[i] == 0; }
};

void group_elements(Plan& plan, const Clusters& clusters) {
  plan.groups = Tensor::zeros(plan.parameter.second.shape(), DType::u8);
  const std::span<std::uint8_t> groups = plan.groups.mutable_data<std::uint8_t>();
  const std::vector<double>& firsts = clusters.firsts;
  for (std::size_t i = 0; i < groups.size(); ++i)
    if (!plan.masked(i))
      groups[i] = static_cast<std::uint8_t>(std::upper_bound(firsts.begin(), firsts.end(), plan.before[i]) -
                                            firsts.begin() - 1);
  plan.layer.centroids = static_cast<std::int64_t>(firsts.size());
  plan.layer.iterations = clusters.iterations;
}

/// Fills in the groups; leaves them undefined for a parameter that is to be left alone.
void make_plan(Plan& plan, const ClusterOptions& options) {
  const Tensor& parameter = plan.parameter.second;
  const Tensor wide = parameter.detach().to(f64);
  plan.before.assign(wide.data<double>().begin(), wide.data<double>().end());
  std::vector<double> kept;
  for (std::size_t i = 0; i < plan.before.size(); ++i)
    if (!plan.masked(i)) kept.push_back(plan.before[i]);
  plan.layer.masked = parameter.size() - static_cast<std::int64_t>(kept.size());
  for (const double value : kept)
    check<NumericError>(std::isfinite(value), "cluster: ", plan.parameter.first, " holds ", value,
                        ". Train from a checkpoint before that.");
  const Sorted sorted(std::move(kept));
  if (parameter.size() <= options.clusters || sorted.size() == 0)
    plan.layer.centroids = static_cast<std::int64_t>(sorted.distinct());
  else
    group_elements(plan, find_clusters(sorted, options, plan.place));
}

void apply(Plan& plan) {
  if (!plan.groups.defined()) return;
  set_constraint(plan.parameter.second, {.mask = plan.mask, .groups = plan.groups});
  const Tensor wide = plan.parameter.second.detach().to(f64);
  const std::span<const double> after = wide.data<double>();
  double squares = 0.0, errors = 0.0;
  for (std::size_t i = 0; i < after.size(); ++i) {
    if (plan.masked(i)) continue;
    squares += plan.before[i] * plan.before[i];
    errors += (plan.before[i] - after[i]) * (plan.before[i] - after[i]);
  }
  plan.layer.error = squares > 0.0 ? std::sqrt(errors / squares) : 0.0;
}

/// Those to be clustered. Vectors, as biases and the weights of batch-norm, have nothing to share.
std::vector<Plan> chosen(const nn::Module& model, const std::string& pattern) {
  const NamedTensors all = model.parameters();
  NamedTensors candidates;
  for (const NamedTensor& named : all)
    if (named.second.rank() >= 2 && is_float(named.second.dtype())) candidates.push_back(named);
  std::vector<Plan> plans;
  for (const NamedTensor& named : matching("cluster", pattern, candidates)) {
    const auto place = std::find_if(all.begin(), all.end(),
                                    [&](const NamedTensor& other) { return other.first == named.first; });
    Plan plan{.parameter = named, .place = static_cast<std::size_t>(place - all.begin())};
    if (const Constraint* now = constraint(named.second)) plan.mask = now->mask;
    if (plan.mask.defined()) plan.keep = plan.mask.data<std::uint8_t>();
    plan.layer.name = named.first;
    plan.layer.elements = named.second.size();
    plans.push_back(std::move(plan));
  }
  return plans;
}

}  // namespace

ClusterReport cluster(nn::Module& model, const ClusterOptions& options) {
  check<ValueError>(options.clusters >= 2 && options.clusters <= kMostClusters,
                    "cluster: clusters must be in 2..", kMostClusters, ", got ", options.clusters, ".");
  std::vector<Plan> plans = chosen(model, options.pattern);
  std::int64_t work = 0;
  for (const Plan& plan : plans) work += 64 * plan.layer.elements;
  parallel_for(static_cast<std::int64_t>(plans.size()), work,
               [&](std::int64_t i) { make_plan(plans[static_cast<std::size_t>(i)], options); });
  ClusterReport report;
  for (Plan& plan : plans) {
    apply(plan);
    report.layers.push_back(plan.layer);
  }
  return report;
}

std::string ClusterReport::str() const {
  std::string text;
  for (const ClusteredLayer& layer : layers) {
    char error[32];
    std::snprintf(error, sizeof error, "%.2f", 100.0 * layer.error);
    text += concat({layer.name, ": ", layer.elements, " weights", layer.masked ? ", " : "",
                    layer.masked ? concat({layer.masked, " of them pruned"}) : "", ", ", layer.centroids,
                    " values, error ", error, " %\n"});
  }
  return text;
}

}  // namespace linnet::compress
