// SPDX-License-Identifier: Apache-2.0
// The list of layers is the headers themselves: every module class of nn/*.h has a row in the catalog and a
// line in docs/layers.md, and nothing else has.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>

#include <doctest/doctest.h>

#include "support/layer_catalog.h"

namespace linnet::test {
namespace {

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::set<std::string> matches(const std::string& text, const char* pattern) {
  const std::regex regex(pattern);
  std::set<std::string> all;
  for (std::sregex_iterator i(text.begin(), text.end(), regex), end; i != end; ++i) all.insert((*i)[1]);
  return all;
}

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

std::string all_headers() {
  std::string text;
  for (const auto& entry : std::filesystem::directory_iterator(LINNET_SOURCE_DIR "/nn"))
    if (entry.path().extension() == ".h") text += text_of(entry.path());
  return text;
}

void check_equal(const std::set<std::string>& classes, const std::set<std::string>& listed,
                 const std::string& where) {
  for (const std::string& name : classes)
    CHECK_MESSAGE(listed.contains(name), "nn::", name, " is missing in ", where);
  for (const std::string& name : listed)
    CHECK_MESSAGE(classes.contains(name), where, " has ", name, ", which is no module of nn/*.h");
}

TEST_CASE("every layer has a row in the catalog") {
  std::set<std::string> rows;
  for (const LayerCase& row : layer_catalog()) rows.insert(layer_class(row));
  check_equal(module_classes(all_headers()), rows, "tests/support/layer_catalog.h");
}

TEST_CASE("docs/layers.md lists every layer") {
  const std::string docs = text_of(LINNET_SOURCE_DIR "/docs/layers.md");
  check_equal(module_classes(all_headers()), matches(docs, R"(\n\| `(\w+)` \|)"), "docs/layers.md");
}

TEST_CASE("the scan finds a layer in any spelling, and nothing that is none") {
  const std::set<std::string> found = module_classes(all_headers() + R"(
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
