// SPDX-License-Identifier: Apache-2.0
// A Program as the bytes that runtime/format.h prescribes. The names of fields are those of that file.
#include <algorithm>
#include <map>

#include "linnet/deploy/bytes.h"
#include "linnet/deploy/deploy.h"
#include "linnet/deploy/golden.h"
#include "linnet/deploy/lower.h"
#include "linnet/deploy/passes/passes.h"
#include "linnet/deploy/plan.h"
#include "linnet/runtime/format.h"
#include "linnet/version.h"

namespace linnet::deploy {
namespace {

/// Where each slot lies: constants in DATA, the others in the arena.
struct Layout {
  std::vector<std::int64_t> offsets;
  Plan plan;
};

/// Slots that lie on one another get one place, for as long as any of them lives.
Layout lay_out(const Program& program) {
  const std::vector<Slot>& slots = program.slots;
  std::vector<int> place_of(slots.size(), -1);
  std::vector<Lifetime> places;
  Layout layout;
  std::int64_t data = 0;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const Slot& slot = slots[i];
    layout.offsets.push_back(0);
    if (slot.kind == LNT_CONST) {
      layout.offsets[i] = data;
      data = (data + slot.bytes() + LNT_DATA_ALIGN - 1) / LNT_DATA_ALIGN * LNT_DATA_ALIGN;
    } else if (slot.same_as >= 0) {
      place_of[i] = place_of[slot.same_as];
      places[place_of[i]].last = slot.last;
    } else {
      place_of[i] = static_cast<int>(places.size());
      places.push_back({slot.first, slot.last, slot.bytes()});
    }
  }
  layout.plan = plan_memory(places, LNT_ARENA_ALIGN);
  for (std::size_t i = 0; i < slots.size(); ++i)
    if (place_of[i] >= 0) layout.offsets[i] = layout.plan.offsets[place_of[i]];
  return layout;
}

void check_limits(const Program& program) {
  std::int64_t ports = 0;
  for (const Slot& slot : program.slots) ports += slot.kind == LNT_IN;
  check<GraphError>(ports <= LNT_MAX_PORTS, "deploy: the model has ", ports,
                    " inputs. A .linnet file can hold ", int{LNT_MAX_PORTS}, ".");
  for (int step = 0; step < static_cast<int>(program.steps.size()); ++step) {
    std::int64_t live = 0;
    for (const Slot& slot : program.slots)
      live += slot.kind != LNT_CONST && slot.first <= step && step <= slot.last;
    check<GraphError>(live <= LNT_MAX_LIVE, "deploy: ", live, " tensors live at op ", step,
                      ". The runtime follows ", int{LNT_MAX_LIVE}, " at a time.");
  }
}

Bytes tensors_section(const Program& program, const Layout& layout) {
  Bytes out;
  int inputs = 0;
  for (std::size_t i = 0; i < program.slots.size(); ++i) {
    const Slot& slot = program.slots[i];
    put(out, static_cast<std::uint64_t>(slot.dtype), 1);
    put(out, static_cast<std::uint64_t>(slot.shape.rank()), 1);
    put(out, static_cast<std::uint64_t>(slot.kind), 1);
    put(out, LNT_RAW, 1);
    put(out, static_cast<std::uint64_t>(slot.layout), 1);
    put(out, slot.kind == LNT_IN ? static_cast<std::uint64_t>(inputs++) : 0, 1);
    put(out, 0, 2);
    for (int axis = 0; axis < LNT_MAX_RANK; ++axis)
      put(out, axis < slot.shape.rank() ? static_cast<std::uint64_t>(slot.shape[axis]) : 0, 4);
    put(out, LNT_NO_QUANT, 4);
    put(out, static_cast<std::uint64_t>(slot.bytes()), 4);
    put(out, static_cast<std::uint64_t>(layout.offsets[i]), 8);
  }
  return out;
}

Bytes ops_section(const Program& program) {
  Bytes out;
  for (const Step& step : program.steps) {
    put(out, step.opcode, 2);
    put(out, step.reads.size(), 1);
    put(out, step.scratch >= 0 ? 2 : 1, 1);
    put(out, 4 * step.params.size(), 2);
    put(out, 1, 2);
    for (int id : step.reads) put(out, static_cast<std::uint64_t>(id), 4);
    put(out, static_cast<std::uint64_t>(step.writes), 4);
    if (step.scratch >= 0) put(out, static_cast<std::uint64_t>(step.scratch), 4);
    for (std::uint32_t param : step.params) put(out, param, 4);
  }
  return out;
}

Bytes plan_section(const Program& program, const Plan& plan) {
  Bytes out;
  put(out, static_cast<std::uint64_t>(plan.arena_bytes), 8);
  put(out, LNT_ARENA_ALIGN, 4);
  put(out, 0, 4);
  for (const Slot& slot : program.slots)
    if (slot.kind != LNT_CONST)
      put(out, slot.kind == LNT_OUT ? LNT_LAST_END : static_cast<std::uint64_t>(slot.last), 4);
  return out;
}

/// Rows [outs][n] as blocks [outs / 16][n][16], filled up with zeros.
std::vector<float> blocked(std::span<const float> rows, std::int64_t outs) {
  const std::size_t n = rows.size() / static_cast<std::size_t>(outs);
  std::vector<float> blocks((static_cast<std::size_t>(outs) + LNT_BLOCK - 1) / LNT_BLOCK * LNT_BLOCK * n);
  for (std::size_t o = 0; o < static_cast<std::size_t>(outs); ++o)
    for (std::size_t k = 0; k < n; ++k)
      blocks[(o / LNT_BLOCK * n + k) * LNT_BLOCK + o % LNT_BLOCK] = rows[o * n + k];
  return blocks;
}

Bytes data_section(const Program& program) {
  Bytes out;
  for (const Slot& slot : program.slots) {
    if (slot.kind != LNT_CONST) continue;
    pad_to(out, LNT_DATA_ALIGN);
    const Tensor values = slot.contents.to(slot.dtype == LNT_I32 ? i32 : f32);
    if (slot.dtype == LNT_I32) {
      append(out, std::as_bytes(values.data<std::int32_t>()));
    } else if (slot.layout == LNT_BLOCKED) {
      const std::vector<float> blocks = blocked(values.data<float>(), slot.shape[0]);
      append(out, std::as_bytes(std::span(blocks)));
    } else {
      append(out, std::as_bytes(values.data<float>()));
    }
  }
  return out;
}

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

std::map<std::string, std::string> meta_entries(const Program& program, const Plan& plan,
                                                const Report& report, const Options& options) {
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
  add("arena.lower_bound", std::to_string(plan.lower_bound));
  if (!options.task.empty()) add("task", options.task);
  if (!options.preprocess.empty()) add("preprocess", options.preprocess);
  if (!labels.empty()) add("labels", labels);
  std::string ops;
  for (const std::string& op : program.ops) ops += (ops.empty() ? "" : " ") + op;
  add("ops", ops);
  add("writer", "linnet " LINNET_VERSION);
  add("min_runtime", concat({int{LNT_FORMAT_MAJOR}, ".", int{LNT_MINOR_FLOAT}}));
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

struct Section {
  std::uint32_t type, flags, align;
  Bytes bytes;
};

std::vector<Section> sections_of(const Program& program, const Layout& places, const Report& report,
                                 const Options& options) {
  const std::uint32_t data_align = options.page_aligned ? LNT_PAGE_ALIGN : LNT_DATA_ALIGN;
  return {{LNT_SECTION_TENS, LNT_SECTION_REQUIRED, LNT_SECTION_ALIGN, tensors_section(program, places)},
          {LNT_SECTION_OPS, LNT_SECTION_REQUIRED, LNT_SECTION_ALIGN, ops_section(program)},
          {LNT_SECTION_PLAN, LNT_SECTION_REQUIRED, LNT_SECTION_ALIGN, plan_section(program, places.plan)},
          {LNT_SECTION_DATA, LNT_SECTION_REQUIRED, data_align, data_section(program)},
          {LNT_SECTION_META, 0, LNT_SECTION_ALIGN,
           meta_section(meta_entries(program, places.plan, report, options))}};
}

Bytes assemble(const std::vector<Section>& sections, const std::array<std::uint8_t, 16>& hash,
               std::uint64_t version) {
  Bytes out(LNT_HEADER_BYTES + LNT_SECTION_BYTES * sections.size());
  for (std::size_t i = 0; i < sections.size(); ++i) {
    const Section& section = sections[i];
    pad_to(out, section.align);
    std::size_t at = LNT_HEADER_BYTES + LNT_SECTION_BYTES * i;
    put_at(out, at + LNT_AT_SECTION_TYPE, section.type, 4);
    put_at(out, at + LNT_AT_SECTION_FLAGS, section.flags, 4);
    put_at(out, at + LNT_AT_SECTION_OFF, out.size(), 8);
    put_at(out, at + LNT_AT_SECTION_LEN, section.bytes.size(), 8);
    put_at(out, at + LNT_AT_SECTION_CRC, lnt_crc32c(0, section.bytes.data(), section.bytes.size()), 4);
    put_at(out, at + LNT_AT_SECTION_ALIGN, section.align, 4);
    out.insert(out.end(), section.bytes.begin(), section.bytes.end());
  }
  std::memcpy(out.data(), LNT_MAGIC, 8);
  put_at(out, LNT_AT_MAJOR, LNT_FORMAT_MAJOR, 2);
  put_at(out, LNT_AT_MINOR, LNT_MINOR_FLOAT, 2);
  put_at(out, LNT_AT_FILE_LEN, out.size(), 8);
  put_at(out, LNT_AT_N_SECTIONS, sections.size(), 4);
  std::copy(hash.begin(), hash.end(), out.begin() + LNT_AT_GRAPH_HASH);
  put_at(out, LNT_AT_MODEL_VERSION, version, 8);
  put_at(out, LNT_AT_HEADER_CRC,
         lnt_crc32c(0, out.data(), LNT_HEADER_BYTES + LNT_SECTION_BYTES * sections.size()), 4);
  return out;
}

}  // namespace

Image build(const graph::Graph& graph, const State& parameters, const Options& options) {
  check<ValueError>(options.golden_cases == 0 ||
                        (options.golden_cases >= LNT_MIN_GOLDEN && options.golden_cases <= LNT_MAX_GOLDEN),
                    "deploy: golden_cases must be 0 or ", int{LNT_MIN_GOLDEN}, " to ", int{LNT_MAX_GOLDEN},
                    ", got ", options.golden_cases, ".");
  const int layout = options.plain ? LNT_PLAIN : LNT_BLOCKED;
  Optimised small;
  if (options.optimise) small = optimise(graph, parameters);
  const Program program =
      options.optimise ? lower(small.graph, {}, layout) : lower(graph, parameters, layout);
  check_limits(program);
  const Layout places = lay_out(program);
  Image image;
  image.report = {.arena_bytes = places.plan.arena_bytes,
                  .lower_bound = places.plan.lower_bound,
                  .ops = static_cast<int>(program.steps.size()),
                  .op_names = {program.ops.begin(), program.ops.end()},
                  .passes = std::move(small.passes)};
  std::vector<Section> sections = sections_of(program, places, image.report, options);
  if (options.golden_cases > 0)
    sections.push_back({LNT_SECTION_GOLD, 0, LNT_SECTION_ALIGN,
                        golden_section(graph, parameters, program, options.golden_cases)});
  image.bytes = assemble(sections, graph.hash(), options.model_version);
  image.report.file_bytes = static_cast<std::int64_t>(image.bytes.size());
  return image;
}

}  // namespace linnet::deploy
