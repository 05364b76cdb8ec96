// SPDX-License-Identifier: Apache-2.0
#pragma once
// Patterns that choose tensors by name: "backbone.*", "*.bias".

#include <string>
#include <string_view>

#include "linnet/core/state.h"

namespace linnet {

/// Whether the whole name fits: * stands for any characters, dots and none included, ? for one.
bool matches(std::string_view pattern, std::string_view name);

/// Those whose names match. ValueError that lists the names when there is none; `what` starts its text.
NamedTensors matching(const char* what, const std::string& pattern, const NamedTensors& tensors);

}  // namespace linnet
