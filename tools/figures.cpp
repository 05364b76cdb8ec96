// SPDX-License-Identifier: Apache-2.0
#include "figures.h"

#include <nlohmann/json.hpp>

namespace linnet::tools {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const Figure& figure) {
  return std::visit([](const auto& value) { return Json(value); }, figure);
}

std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace

std::string as_json(const Figures& figures) {
  Json object = Json::object();
  for (const auto& [name, figure] : figures) object[name] = json_of(figure);
  return text_of(object);
}

std::string as_lines(const Figures& figures) {
  std::string lines;
  for (const auto& [name, figure] : figures) {
    const std::string* text = std::get_if<std::string>(&figure);
    lines += name + ": " + (text ? *text : text_of(json_of(figure))) + '\n';
  }
  return lines;
}

}  // namespace linnet::tools
