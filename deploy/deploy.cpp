// SPDX-License-Identifier: Apache-2.0
#include "linnet/deploy/deploy.h"

namespace linnet::deploy {

Report write(const graph::GraphModule& model, const std::string& path, const Options& options) {
  return write(model.graph(), model.state(), path, options);
}

}  // namespace linnet::deploy
