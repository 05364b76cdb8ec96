// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where data sets are on this machine.

#include <string>
#include <vector>

namespace linnet::data {

/// The folder of a data set ("mnist", "timeseries/uci_har"). With `explicit_dir` (what the user named) it is
/// that folder or the data set below it. Without, the data set below $LINNET_DATA (or that folder itself,
/// when it has the same name), datasets/ or ../shared/data, seen from the working directory. IoError that
/// lists where it was looked for.
std::string find_folder(const std::string& name, const std::string& explicit_dir = {});

/// `name` or `name`.gz in the first of `folders` below `dir` ("" is `dir` itself) that has one; empty when
/// none has.
std::string find_file(const std::string& dir, const std::vector<std::string>& folders,
                      const std::string& name);

}  // namespace linnet::data
