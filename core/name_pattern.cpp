// SPDX-License-Identifier: Apache-2.0
#include "linnet/core/name_pattern.h"

#include "linnet/core/error.h"

namespace linnet {

// Each * first takes no characters, and one more whenever what follows it does not fit. Only the last * needs
// to be tried again: a later one can make up for whatever an earlier one would have taken.
bool matches(std::string_view pattern, std::string_view name) {
  constexpr std::size_t kNone = std::string_view::npos;
  std::size_t p = 0, n = 0, star = kNone, taken = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p, ++n;
    } else if (star != kNone) {
      p = star + 1;
      n = ++taken;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == kNone;
}

NamedTensors matching(const char* what, const std::string& pattern, const NamedTensors& tensors) {
  NamedTensors found;
  for (const NamedTensor& named : tensors)
    if (matches(pattern, named.first)) found.push_back(named);
  if (!found.empty()) return found;
  std::string names;
  for (const NamedTensor& named : tensors) names += (names.empty() ? "" : ", ") + named.first;
  fail<ValueError>(what, ": nothing matches \"", pattern, "\". There are: ", names, ".");
}

}  // namespace linnet
