// SPDX-License-Identifier: Apache-2.0
// The list of layers is the headers themselves: every module class of nn/*.h has a row in the catalog and a
// line in docs/layers.md, and nothing else has.
#include <map>
#include <regex>
#include <set>

#include <doctest/doctest.h>

#include "support/layer_catalog.h"
#include "support/lists.h"

namespace linnet::test {
namespace {

/// Classes that derive from Module, directly or not, and can be made: Layer and those whose definition says
/// so are only bases.
std::set<std::string> module_classes(const std::string& headers) {
  const std::regex regex(R"(\n(?:class|struct)\s+(\w+)(?:\s+final)?\s*:\s*(?:public\s+)?(?:nn::)?(\w+))");
  std::multimap<std::string, std::string> derived;  // base -> class
  for (std::sregex_iterator i(headers.begin(), headers.end(), regex), end; i != end; ++i)
    derived.emplace((*i)[2], (*i)[1]);
  std::set<std::string> found;
  std::vector<std::string> open{"Module"};
  while (!open.empty()) {
    const std::string base = open.back();
    open.pop_back();
    const auto [first, last] = derived.equal_range(base);
    for (auto i = first; i != last; ++i)
      if (found.insert(i->second).second) open.push_back(i->second);
  }
  const std::set<std::string> bases = matches(headers, R"(/// Base of[^\n]*\n(?:///[^\n]*\n)*class (\w+))");
  for (const std::string& base : bases) found.erase(base);
  found.erase("Layer");
  return found;
}

TEST_CASE("every layer has a row in the catalog") {
  std::set<std::string> rows;
  for (const LayerCase& row : layer_catalog()) rows.insert(layer_class(row));
  check_same_lists(module_classes(headers_of("nn")), rows, "tests/support/layer_catalog.h");
}

TEST_CASE("docs/layers.md lists every layer") {
  check_same_lists(module_classes(headers_of("nn")), listed_in("layers.md"), "docs/layers.md");
}

TEST_CASE("the scan finds a layer in any spelling, and nothing that is none") {
  const std::set<std::string> found = module_classes(headers_of("nn") + R"(
class Planted : public Layer {
struct PlantedStruct final : nn::Module {
/// Base of planted ones:
/// what they share.
class PlantedBase : public Module {
class Indirect
    : public PlantedBase {
class Other : public Members {
enum class Kind : int {
)");
  for (const char* name : {"Planted", "PlantedStruct", "Indirect", "Dense", "Sequential"})
    CHECK(found.contains(name));
  for (const char* name : {"PlantedBase", "Other", "Kind", "Layer", "Module"})
    CHECK_FALSE(found.contains(name));
}

}  // namespace
}  // namespace linnet::test
