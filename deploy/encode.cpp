// SPDX-License-Identifier: Apache-2.0
// A Program as the bytes that runtime/format.h prescribes. The names of fields are those of that file.
#include <algorithm>

#include "linnet/deploy/bytes.h"
#include "linnet/deploy/deploy.h"
#include "linnet/deploy/encoding.h"
#include "linnet/deploy/golden.h"
#include "linnet/deploy/lower.h"
#include "linnet/deploy/meta.h"
#include "linnet/deploy/passes/passes.h"
#include "linnet/deploy/plan.h"
#include "linnet/runtime/format.h"

namespace linnet::deploy {
namespace {

std::int64_t round_up(std::int64_t n, std::int64_t to) { return (n + to - 1) / to * to; }

/// Where each slot lies: constants in DATA, the others in the arena.
struct Layout {
  std::vector<std::int64_t> offsets;
  Plan plan;
  std::int64_t unpacked = 0;  ///< bytes of packed constants in memory, behind the plan's arena

  std::int64_t arena_bytes() const {
    if (unpacked == 0) return plan.arena_bytes;
    return round_up(round_up(plan.arena_bytes, LNT_UNPACKED_ALIGN) + unpacked, LNT_ARENA_ALIGN);
  }
};

int alignment_of(const Slot& slot) {
  return slot.packed.empty() ? int{LNT_DATA_ALIGN} : int{LNT_PACKED_ALIGN};
}

/// Constants in DATA and, packed ones, where they are unpacked to.
void place_constants(Program& program, Layout& layout) {
  std::int64_t data = 0;
  for (std::size_t i = 0; i < program.slots.size(); ++i) {
    Slot& slot = program.slots[i];
    if (slot.kind != LNT_CONST) continue;
    layout.offsets[i] = round_up(data, alignment_of(slot));
    data = layout.offsets[i] + slot.stored_bytes();
    if (slot.packed.empty()) continue;
    layout.unpacked = round_up(layout.unpacked, LNT_UNPACKED_ALIGN);
    put_at(slot.packed, LNT_AT_UNPACKED, static_cast<std::uint64_t>(layout.unpacked), 8);
    layout.unpacked += slot.bytes();
  }
}

/// Slots that lie on one another get one place, for as long as any of them lives.
Layout lay_out(Program& program) {
  const std::vector<Slot>& slots = program.slots;
  std::vector<int> place_of(slots.size(), -1);
  std::vector<Lifetime> places;
  Layout layout;
  layout.offsets.assign(slots.size(), 0);
  place_constants(program, layout);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const Slot& slot = slots[i];
    if (slot.kind == LNT_CONST) continue;
    if (slot.same_as >= 0) {
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
  std::uint32_t entry = 0;  // place of the next one in QUANT
  for (std::size_t i = 0; i < program.slots.size(); ++i) {
    const Slot& slot = program.slots[i];
    put(out, static_cast<std::uint64_t>(slot.dtype), 1);
    put(out, static_cast<std::uint64_t>(slot.shape.rank()), 1);
    put(out, static_cast<std::uint64_t>(slot.kind), 1);
    put(out, slot.packed.empty() ? LNT_RAW : LNT_PACKED, 1);
    put(out, static_cast<std::uint64_t>(slot.layout), 1);
    put(out, slot.kind == LNT_IN ? static_cast<std::uint64_t>(inputs++) : 0, 1);
    put(out, 0, 2);
    for (int axis = 0; axis < LNT_MAX_RANK; ++axis)
      put(out, axis < slot.shape.rank() ? static_cast<std::uint64_t>(slot.shape[axis]) : 0, 4);
    put(out, slot.quant ? entry : LNT_NO_QUANT, 4);
    if (slot.quant) entry += static_cast<std::uint32_t>(entry_bytes(*slot.quant));
    put(out, static_cast<std::uint64_t>(slot.stored_bytes()), 4);
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

Bytes quant_section(const Program& program) {
  Bytes out;
  for (const Slot& slot : program.slots) {
    if (!slot.quant) continue;
    put(out, static_cast<std::uint32_t>(slot.quant->zero), 4);
    put(out, slot.quant->scales.size(), 4);
    append(out, std::as_bytes(std::span(slot.quant->scales)));
    for (std::size_t i = 0; i < slot.quant->scales.size(); ++i) {
      const auto& factors = slot.quant->factors;
      const lnt_multiplier factor =
          factors.empty() ? lnt_multiplier{0, 0} : factors[factors.size() > 1 ? i : 0];
      put(out, static_cast<std::uint32_t>(factor.value), 4);
      put(out, static_cast<std::uint32_t>(factor.shift), 4);
    }
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

/// A constant that is not packed.
void append_raw(Bytes& out, const Slot& slot) {
  if (slot.dtype == LNT_I8) {
    append(out, std::as_bytes(slot.contents.data<std::int8_t>()));
  } else if (slot.dtype == LNT_I16) {
    for (std::int32_t number : slot.contents.data<std::int32_t>())
      put(out, static_cast<std::uint32_t>(number), 2);
  } else if (slot.dtype == LNT_I32) {
    const Tensor numbers = slot.contents.to(i32);
    append(out, std::as_bytes(numbers.data<std::int32_t>()));
  } else if (slot.layout == LNT_BLOCKED) {
    const std::vector<float> blocks = blocked(slot.contents.data<float>(), slot.shape[0]);
    append(out, std::as_bytes(std::span(blocks)));
  } else {
    append(out, std::as_bytes(slot.contents.data<float>()));
  }
}

Bytes data_section(const Program& program) {
  Bytes out;
  for (const Slot& slot : program.slots) {
    if (slot.kind != LNT_CONST) continue;
    pad_to(out, static_cast<std::size_t>(alignment_of(slot)));
    if (slot.packed.empty())
      append_raw(out, slot);
    else
      out.insert(out.end(), slot.packed.begin(), slot.packed.end());
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
  std::vector<Section> sections;
  const auto add = [&](std::uint32_t type, Bytes bytes) {
    sections.push_back({type, type == LNT_SECTION_META ? 0u : std::uint32_t{LNT_SECTION_REQUIRED},
                        type == LNT_SECTION_DATA ? data_align : std::uint32_t{LNT_SECTION_ALIGN},
                        std::move(bytes)});
  };
  add(LNT_SECTION_TENS, tensors_section(program, places));
  add(LNT_SECTION_OPS, ops_section(program));
  if (Bytes quant = quant_section(program); !quant.empty()) add(LNT_SECTION_QUANT, std::move(quant));
  add(LNT_SECTION_PLAN, plan_section(program, places.plan));
  add(LNT_SECTION_DATA, data_section(program));
  add(LNT_SECTION_META, meta_section(meta_entries(program, report, options)));
  return sections;
}

Bytes assemble(const std::vector<Section>& sections, const std::array<std::uint8_t, 16>& hash, int minor,
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
  put_at(out, LNT_AT_MINOR, static_cast<std::uint64_t>(minor), 2);
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
  Program program = options.optimise ? lower(small.graph, {}, layout) : lower(graph, parameters, layout);
  check_limits(program);
  Encodings encodings = encode_constants(program, options.compact);
  const Layout places = lay_out(program);
  const int minor = minor_version(program);
  Image image;
  image.report = {.arena_bytes = places.arena_bytes(),
                  .lower_bound = places.plan.lower_bound + places.arena_bytes() - places.plan.arena_bytes,
                  .ops = static_cast<int>(program.steps.size()),
                  .op_names = {program.ops.begin(), program.ops.end()},
                  .passes = std::move(small.passes),
                  .constant_bytes = encodings.raw_bytes,
                  .stored_bytes = encodings.stored_bytes,
                  .encodings = {encodings.forms.begin(), encodings.forms.end()}};
  std::vector<Section> sections = sections_of(program, places, image.report, options);
  const auto file = [&] { return assemble(sections, graph.hash(), minor, options.model_version); };
  if (options.golden_cases > 0)
    sections.push_back({LNT_SECTION_GOLD, 0, LNT_SECTION_ALIGN,
                        golden_section(graph, parameters, program, options.golden_cases, file)});
  image.bytes = file();
  image.report.file_bytes = static_cast<std::int64_t>(image.bytes.size());
  return image;
}

}  // namespace linnet::deploy
