// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace linnet::tools {

/// Runs the subcommand that the arguments name. Returns 2 after one line on standard error when they make no
/// sense, else 0; errors of the subcommand itself are thrown.
int run_command_line(int argc, char** argv);

}  // namespace linnet::tools
