// SPDX-License-Identifier: Apache-2.0
#pragma once
// Weight sharing: k-means brings the weights of each layer down to a few values, which deploy stores as a
// table and indices (Han, Mao, Dally: "Deep Compression", 2015).
//
//   compress::cluster(model, {.clusters = 16});
//   trainer.fit(digits, {.epochs = 1});   // weights that share a value go on sharing it
//
// The groups are constraints of the parameters (core/constraint.h): training adds up the gradients of a
// group, checkpoints hold them, make_permanent (compress/prune.h) leaves the values and sets them free.

#include <cstdint>
#include <string>
#include <vector>

#include "linnet/nn/module.h"

namespace linnet::compress {

/// Where k-means begins.
enum class ClusterStart : std::uint8_t {
  linear,     ///< evenly from the smallest to the largest value: keeps the large weights, which count most
  density,    ///< evenly by rank: the middles of equal parts of the values in order
  plus_plus,  ///< k-means++ (Arthur, Vassilvitskii, 2007): drawn by squared distance to those drawn before
};

struct ClusterOptions {
  std::int64_t clusters = 16;  ///< in 2..256
  ClusterStart start = ClusterStart::linear;
  std::string pattern =
      "*weight*";          ///< of names (core/name_pattern.h), among parameters of two and more axes
  std::uint64_t seed = 0;  ///< of plus_plus: draws depend on it and on the place of the parameter
};

/// What became of one parameter.
struct ClusteredLayer {
  std::string name;
  std::int64_t elements = 0;
  std::int64_t masked = 0;      ///< pruned ones, which stay 0 and belong to no cluster
  std::int64_t centroids = 0;   ///< values that the others have now
  std::int64_t iterations = 0;  ///< of k-means; 0 when nothing had to move
  double error = 0.0;           ///< |w - shared| / |w|, Euclidean
};

struct ClusterReport {
  std::vector<ClusteredLayer> layers;
  std::string str() const;  ///< a line a layer
};

/// Lloyd's k-means of each parameter by itself, until no weight changes its cluster (at most 1000 rounds);
/// values half way go to the smaller centroid, and a centroid that loses all its values is given up. A mask
/// stays and counts as no value, so sparsity is preserved. A parameter that has no more values than clusters
/// keeps them to the bit; one of no more elements than clusters is left alone.
/// The result is a function of weights, options and seed, not of threads. All or nothing: ValueError for
/// clusters out of range and when nothing matches, NumericError for a weight that is not finite.
ClusterReport cluster(nn::Module& model, const ClusterOptions& options = {});

}  // namespace linnet::compress
