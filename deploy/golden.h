// SPDX-License-Identifier: Apache-2.0
#pragma once
// Golden cases: what the training side gives for generated inputs, for the runtime to prove itself on the
// board (GOLD in runtime/format.h). Private to deploy.

#include <cstdint>
#include <functional>
#include <vector>

#include "linnet/deploy/lower.h"

namespace linnet::deploy {

/// The section's bytes. Numbers are drawn from [-1, 1); whole numbers that find rows of a table from all of
/// its rows, others (masks) from 0 and 1. `graph` is the one before the passes, so that these are tested,
/// too. Of a program with integer ops the outputs are those of its `image` on this machine, plain and vector
/// kernels agreeing: integers must be the same everywhere, and training gives them within a step only.
std::vector<std::uint8_t> golden_section(const graph::Graph& graph, const State& parameters,
                                         const Program& program, int cases,
                                         const std::function<Bytes()>& image);

}  // namespace linnet::deploy
