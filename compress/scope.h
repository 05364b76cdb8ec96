// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace linnet::compress {

/// Whether a share of what is pruned is taken from each layer, or from all together.
enum class Scope { layer, global };

}  // namespace linnet::compress
