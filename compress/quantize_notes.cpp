// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "linnet/compress/quantize.h"

namespace linnet::compress {
namespace {

std::string formatted(const char* format, double number) {
  char text[64];
  std::snprintf(text, sizeof text, format, number);
  return text;
}

std::string joined(const std::vector<std::string>& words) {
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : ", ") + word;
  return all;
}

std::string line_of(const std::string& what, const QuantizeScore& score, bool regression, const char* end) {
  std::string text = "  " + what;
  text.resize(std::max<std::size_t>(text.size(), 34), ' ');
  if (!std::isnan(score.value))
    text += formatted(regression ? "  rmse %.4f" : "  accuracy %.4f", score.value);
  return text + formatted("  noise %.3g", score.noise) + end + "\n";
}

}  // namespace

const char* name(QuantMode mode) {
  constexpr const char* names[] = {"int8", "int8_dynamic", "int8_weights", "int4_weights", "float16_weights"};
  return names[static_cast<int>(mode)];
}

std::string QuantizeNotes::str() const {
  std::string text = std::string("quantize: ") + name(mode);
  if (!rule.empty()) text += ", ranges by " + rule;
  if (equalized) text += ", equalised";
  if (bias_corrected) text += ", biases corrected";
  if (!kept_float.empty()) text += ", in float: " + joined(kept_float);
  text += "\n";
  for (const std::string& warning : warnings) text += "  warning: " + warning + "\n";
  if (samples == 0) return text;
  text += concat({"  ", samples, " samples for ranges, ", held_out_samples, " to judge by (seed ", seed,
                  "), ", integer_engine ? "by the exported file" : "simulated", "\n"});
  text += line_of("float", float_score, regression, "");
  for (const Candidate& candidate : candidates)
    text += line_of(candidate.setting, candidate.score, regression, candidate.taken ? "  <-" : "");
  if (!layers.empty()) text += "  signal to noise, dB:";
  for (const LayerSqnr& layer : layers) text += " " + layer.layer + formatted(" %.1f", layer.decibel);
  return layers.empty() ? text : text + "\n";
}

}  // namespace linnet::compress
