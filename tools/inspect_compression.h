// SPDX-License-Identifier: Apache-2.0
#pragma once
// What `linnet inspect` shows of a compressed checkpoint.

#include "figures.h"
#include "linnet/graph/graph_module.h"

namespace linnet::tools {

/// A line for each parameter that is held at zeros or shared values, and one of what is rounded to integers.
void print_compression(const graph::GraphModule& model);

/// How many parameters are not 0, are held at 0; the most values that one parameter's elements share; how
/// many tensors are rounded to integers.
Figures compression_figures(const graph::GraphModule& model);

}  // namespace linnet::tools
