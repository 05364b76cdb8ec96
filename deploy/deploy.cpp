// SPDX-License-Identifier: Apache-2.0
#include "linnet/deploy/deploy.h"

#include "linnet/io/atomic_file.h"

namespace linnet::deploy {

Report write(const graph::Graph& graph, const State& parameters, const std::string& path,
             const Options& options) {
  Image image = build(graph, parameters, options);
  io::AtomicFile file("deploy", path);
  file.write(std::as_bytes(std::span(image.bytes)));
  file.commit();
  return image.report;
}

Report write(const graph::GraphModule& model, const std::string& path, const Options& options) {
  return write(model.graph(), model.state(), path, options);
}

}  // namespace linnet::deploy
