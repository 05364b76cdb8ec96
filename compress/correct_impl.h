// SPDX-License-Identifier: Apache-2.0
#pragma once
// Two changes of a float network that leave it (nearly) the same and may make it better with integers.
// Private to compress.

#include <optional>

#include "linnet/data/dataset.h"
#include "linnet/graph/graph_module.h"

namespace linnet::compress {

/// Cross-layer equalisation (Nagel et al.: "Data-Free Quantization Through Weight Equalization and Bias
/// Correction", 2019). Between a product or convolution A and the next one B lie only relu, leaky_relu,
/// pooling and reshapes: channel c of A may be divided by s_c if B multiplies by it. With r_A, r_B the
/// largest weights of a channel, s = sqrt(r_A / r_B) makes them alike. Only for pairs in which the r_A of two
/// channels, or the r_B, differ by more than `ratio`; repeated until nothing moves. Weights with groups stay.
/// Nothing when there is no such pair.
std::optional<graph::GraphModule> equalized(const graph::GraphModule& model, double ratio = 8.0);

/// Bias correction (the same paper, from data): each product and convolution of the quantized model that has
/// a bias gets the channel means that it has in `clean`, one after the other, over the first 256 samples.
/// Both models are in evaluation mode and have the same ops but fake_quant.
graph::GraphModule with_corrected_biases(graph::GraphModule& clean, const graph::GraphModule& quantized,
                                         const data::Dataset& dataset);

}  // namespace linnet::compress
