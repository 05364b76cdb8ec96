// SPDX-License-Identifier: Apache-2.0
#pragma once
// What an exported file says about its model.

#include <string>

#include "linnet/deploy/deploy.h"
#include "model_file.h"

namespace linnet::tools {

/// What `linnet inspect` shows of an exported file, which holds no names of weights. `path` is where the
/// checkpoint was read from.
deploy::Options export_options(const Checkpoint& checkpoint, const std::string& path);

}  // namespace linnet::tools
