// SPDX-License-Identifier: Apache-2.0
#pragma once
// Files that break one rule of runtime/format.h each, with checksums that fit, so that the rule itself
// refuses them.

#include <functional>
#include <string>
#include <vector>

#include "linnet/runtime/linnet_runtime.h"
#include "model_builder.h"

namespace linnet::test {

struct Case {
  std::string name;
  lnt_status expected;
  std::function<Bytes()> make;
};

/// Of the file as a container: header, sections, META.
std::vector<Case> malformed_containers();
/// Of what it contains: tensors, ops, shapes, memory plan.
std::vector<Case> malformed_graphs();
/// Of the parameters and operands of single ops. Those that are as they must be are cases, too.
std::vector<Case> malformed_ops();
/// Of quantized tensors and the ops on them; of packed constants. With good ones, too.
std::vector<Case> malformed_int8();
std::vector<Case> malformed_packed();

/// Small good files of every op, and of every way to pack a constant.
std::vector<Case> good_models();

/// The small model with something changed in what the file says.
Case changed(const std::string& name, lnt_status expected, void (*change)(File&));

/// The small model with some bytes changed and checksums that fit again.
Case patched(const std::string& name, lnt_status expected, void (*change)(Bytes&));

/// The small model with its list of sections changed.
Case rearranged(const std::string& name, lnt_status expected, void (*change)(std::vector<SectionRecord>&));

}  // namespace linnet::test
