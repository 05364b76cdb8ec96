// SPDX-License-Identifier: Apache-2.0
#pragma once
// Lists in the docs, to be held against the code.

#include <set>
#include <string>

namespace linnet::test {

/// The headers of a folder of the source tree whose file names match, one behind the other.
std::string headers_of(const std::string& folder, const std::string& names = R"(.*\.h)");
/// The first group of every match of a regular expression.
std::set<std::string> matches(const std::string& text, const std::string& pattern);
/// What rows of tables in docs/<page> begin with as `name`: of those below "## heading", or of all.
std::set<std::string> listed_in(const std::string& page, const std::string& heading = "");
/// CHECKs, naming each that is missing, that both are the same; `where` is the list.
void check_same_lists(const std::set<std::string>& code, const std::set<std::string>& listed,
                      const std::string& where);

}  // namespace linnet::test
