// SPDX-License-Identifier: Apache-2.0
#include "linnet/deploy/meta.h"

#include <algorithm>

#include "linnet/core/error.h"
#include "linnet/runtime/format.h"
#include "linnet/version.h"

namespace linnet::deploy {
namespace {

bool is_key(const std::string& key) {
  return !key.empty() && key.size() <= 64 && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  });
}

/// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing beyond U+10FFFF.
bool is_utf8(const std::string& text) {
  for (std::size_t i = 0; i < text.size();) {
    auto byte = static_cast<unsigned char>(text[i]);
    int more = byte < 0x80                   ? 0
               : byte >= 0xf0 && byte < 0xf5 ? 3
               : byte >= 0xe0 && byte < 0xf0 ? 2
               : byte >= 0xc2 && byte < 0xe0 ? 1
                                             : -1;
    if (more < 0 || i + static_cast<std::size_t>(more) >= text.size()) return false;
    std::uint32_t code = more == 0 ? byte : byte & (0x3fu >> more);
    for (int k = 1; k <= more; ++k) {
      auto next = static_cast<unsigned char>(text[i + static_cast<std::size_t>(k)]);
      if ((next & 0xc0) != 0x80) return false;
      code = code << 6 | (next & 0x3fu);
    }
    if ((more == 2 && code < 0x800) || (more == 3 && (code < 0x10000 || code > 0x10ffff)) ||
        (code >= 0xd800 && code < 0xe000))
      return false;
    i += static_cast<std::size_t>(more) + 1;
  }
  return true;
}

/// "fold batch-norm 27, fuse activations 28": what the passes found.
std::string found_text(const std::vector<std::pair<std::string, int>>& passes) {
  std::string text;
  for (const auto& [pass, found] : passes)
    if (found > 0) text += concat({text.empty() ? "" : ", ", pass, " ", found});
  return text;
}

}  // namespace

std::map<std::string, std::string> meta_entries(const Program& program, const Report& report,
                                                const Options& options) {
  std::map<std::string, std::string> meta;
  auto add = [&meta](const std::string& key, const std::string& value) {
    check<ValueError>(is_key(key), "deploy: meta key \"", key,
                      "\" must be 1 to 64 characters of a-z 0-9 . _ -.");
    check<ValueError>(is_utf8(value) && value.find('\0') == std::string::npos,
                      "deploy: the value of meta key ", key, " must be UTF-8 without NUL.");
    check<ValueError>(meta.emplace(key, value).second, "deploy: meta key ", key, " is given twice.");
  };
  check<ValueError>(options.task.empty() || options.task == "classification" || options.task == "regression",
                    "deploy: task must be classification or regression, got \"", options.task, "\".");
  std::string labels;
  for (const std::string& label : options.labels) {
    check<ValueError>(!label.empty() && label.find('\n') == std::string::npos,
                      "deploy: a label must be one line that is not empty, got \"", label, "\".");
    labels += (labels.empty() ? "" : "\n") + label;
  }
  int inputs = 0;
  for (const Slot& slot : program.slots) {
    if (slot.kind == LNT_IN) add(concat({"input.", inputs++}), slot.name);
    if (slot.kind == LNT_OUT) add("output.0", slot.name);
  }
  add("arena.lower_bound", std::to_string(report.lower_bound));
  if (!options.task.empty()) add("task", options.task);
  if (!options.preprocess.empty()) add("preprocess", options.preprocess);
  if (!labels.empty()) add("labels", labels);
  std::string ops;
  for (const std::string& op : report.op_names) ops += (ops.empty() ? "" : " ") + op;
  add("ops", ops);
  add("writer", "linnet " LINNET_VERSION);
  add("min_runtime", concat({int{LNT_FORMAT_MAJOR}, ".", minor_version(program)}));
  if (const std::string found = found_text(report.passes); !found.empty()) add("passes", found);
  for (const auto& [key, value] : options.meta) add(key, value);
  return meta;
}

Bytes meta_section(const std::map<std::string, std::string>& meta) {
  Bytes out;
  for (const auto& [key, value] : meta) {
    std::string entry = key + "=" + value;
    out.insert(out.end(), entry.begin(), entry.end());
    out.push_back(0);
  }
  return out;
}

}  // namespace linnet::deploy
