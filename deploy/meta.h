// SPDX-License-Identifier: Apache-2.0
#pragma once
// The section META of a model file. Private to deploy.

#include <map>
#include <string>

#include "linnet/deploy/deploy.h"
#include "linnet/deploy/lower.h"

namespace linnet::deploy {

/// ValueError for what the section cannot hold.
std::map<std::string, std::string> meta_entries(const Program& program, const Report& report,
                                                const Options& options);
Bytes meta_section(const std::map<std::string, std::string>& meta);

}  // namespace linnet::deploy
