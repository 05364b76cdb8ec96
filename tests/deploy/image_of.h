// SPDX-License-Identifier: Apache-2.0
#pragma once
// The exported file of a module.

#include "linnet/deploy/deploy.h"
#include "linnet/graph/trace.h"

namespace linnet::test {

template <class M>
deploy::Image image_of(M& model, const Shape& input, const deploy::Options& options = {}) {
  return deploy::build(graph::trace(model, input), model.state(), options);
}

}  // namespace linnet::test
