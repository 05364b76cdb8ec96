// SPDX-License-Identifier: Apache-2.0
#include "linnet/compress/cluster.h"

#include <algorithm>
#include <cstdio>

#include "compress.h"
#include "linnet/core/error.h"

namespace linnet::tools {
namespace {

compress::ClusterStart start_of(const std::string& name) {
  if (name == "density") return compress::ClusterStart::density;
  return name == "kmeans++" ? compress::ClusterStart::plus_plus : compress::ClusterStart::linear;
}

std::string step_text(const ClusterArguments& arguments) {
  return concat({"cluster --clusters ", arguments.clusters, arguments.start == "linear" ? "" : " --start ",
                 arguments.start == "linear" ? "" : arguments.start,
                 arguments.layers.empty() ? "" : " --layers ", arguments.layers});
}

}  // namespace

void cluster(const ClusterArguments& arguments) {
  check_tuning("cluster", arguments, arguments.epochs > 0, "--epochs");
  const Work work(arguments, "cluster");
  compress::ClusterOptions options{
      .clusters = arguments.clusters, .start = start_of(arguments.start), .seed = arguments.common.seed};
  if (!arguments.layers.empty()) options.pattern = arguments.layers;
  const compress::ClusterReport shared = compress::cluster(*work.source.model, options);
  if (!arguments.common.json) std::printf("%s", shared.str().c_str());
  const bool finished = train_on(work, *work.source.model,
                                 {.epochs = arguments.epochs, .about = work.about(step_text(arguments))});
  std::int64_t most = 0;
  for (const compress::ClusteredLayer& layer : shared.layers) most = std::max(most, layer.centroids);
  conclude(work, finished, {{"shared_values", most}});
}

}  // namespace linnet::tools
