// SPDX-License-Identifier: Apache-2.0
#include "figures.h"

#include <nlohmann/json.hpp>

namespace linnet::tools {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const Figure& figure) {
  return std::visit(
      [](const auto& value) {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, train::Estimate>)
          return Json(value.value);
        else
          return Json(value);
      },
      figure);
}

std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json json_of(const Figures& figures) {
  Json object = Json::object();
  for (const auto& [name, figure] : figures) object[name] = json_of(figure);
  return object;
}

}  // namespace

std::pair<std::string, Figure> test_figure(const std::string& task, double value, std::int64_t samples) {
  if (task == "regression") return {"test_rmse", value};
  return {"test_accuracy", train::Estimate::of_share(value, samples)};
}

std::string as_json(const Figures& figures) { return text_of(json_of(figures)); }

std::string as_json(const std::vector<Figures>& list) {
  Json array = Json::array();
  for (const Figures& figures : list) array.push_back(json_of(figures));
  return text_of(array);
}

std::string as_lines(const Figures& figures) {
  std::string lines;
  for (const auto& [name, figure] : figures) {
    const std::string* text = std::get_if<std::string>(&figure);
    const train::Estimate* estimate = std::get_if<train::Estimate>(&figure);
    lines += name + ": " + (text ? *text : estimate ? estimate->text() : text_of(json_of(figure))) + '\n';
  }
  return lines;
}

}  // namespace linnet::tools
