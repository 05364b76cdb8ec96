// SPDX-License-Identifier: Apache-2.0
#include "linnet/deploy/program_writer.h"

#include "linnet/autograd/autograd.h"
#include "linnet/autograd/recorder.h"

#include "linnet/runtime/format.h"

namespace linnet::deploy {

using graph::Graph;
using graph::Kind;
using graph::Node;

namespace {

Shape at_least_one_axis(const Shape& shape) { return shape.rank() == 0 ? Shape{1} : shape; }

/// What an op writes may lie on what it reads first, if that has its size.
bool works_in_place(std::uint16_t opcode) {
  switch (opcode) {
    case LNT_SOFTMAX:
    case LNT_LOG_SOFTMAX:
    case LNT_RESHAPE:
    case LNT_BATCH_NORM:
    case LNT_GROUP_NORM:
    case LNT_LAYER_NORM:
    case LNT_RELU:
      return true;
    case LNT_I8_ADD:
    case LNT_I8_SUB:
    case LNT_I8_MUL:
    case LNT_I8_REQUANTIZE:
    case LNT_I8_LOOKUP:
    case LNT_I8_SOFTMAX:
      return true;
    default:
      return opcode >= LNT_NEG && opcode <= LNT_PRELU;
  }
}

}  // namespace

ProgramWriter::ProgramWriter(LoweredGraph of) : of_(std::move(of)) {
  for (int input : of_.graph.of_kind(Kind::input)) {
    int slot = new_slot(LNT_IN, is_float(value(input).dtype) ? LNT_F32 : LNT_I32, of_.shapes[input]);
    program_.slots[slot].name = value(input).name;
    slots_[{input, LNT_PLAIN}] = slot;
  }
}

Tensor ProgramWriter::contents(int place) const {
  if (const Node* node = of_.graph.writer(place)) {
    const State attributes = graph::attributes_at(*node, 1);
    NoGrad no_grad;
    std::vector<Tensor> inputs;
    for (int input : node->inputs) inputs.push_back(contents(input));
    return apply_op(node->op, {.inputs = inputs, .attributes = attributes});
  }
  Tensor t = value(place).kind == Kind::constant ? value(place).contents
                                                 : of_.parameters[value(place).name].tensor();
  const bool fits = is_float(value(place).dtype) ? t.dtype() == f32 : !is_float(t.dtype());
  check<GraphError>(fits && t.shape() == of_.shapes[place], "deploy: ", of_.graph.value_name(place),
                    " must be f32 ", of_.shapes[place], ", got ", t.dtype(), " ", t.shape(), ".");
  return t;
}

int ProgramWriter::new_slot(int kind, int dtype, const Shape& shape) {
  constexpr std::int64_t kLargest = 0xffffffff;
  Slot slot;
  slot.kind = kind;
  slot.dtype = dtype;
  slot.shape = at_least_one_axis(shape);
  check<GraphError>(slot.shape.size() >= 1 && slot.shape.size() * 4 <= kLargest,
                    "deploy: a tensor has shape ", shape,
                    ". A .linnet file can hold tensors with at least one element, up to 4 GiB.");
  program_.slots.push_back(std::move(slot));
  return static_cast<int>(program_.slots.size()) - 1;
}

int ProgramWriter::constant(const Tensor& contents) {
  const bool whole = !is_float(contents.dtype());
  int slot = new_slot(LNT_CONST, whole ? LNT_I32 : LNT_F32, contents.shape());
  program_.slots[slot].contents = contents;
  return slot;
}

int ProgramWriter::slot_of(int place, int layout) {
  place = of_.sources[place];
  auto known = slots_.find({place, layout});
  if (known != slots_.end()) return known->second;
  LINNET_ASSERT(of_.constants[place]);
  int slot = constant(contents(place));
  program_.slots[slot].layout = layout;
  return slots_[{place, layout}] = slot;
}

/// Inputs 1 .. weights are weights, which get the layout.
std::vector<int> ProgramWriter::slots_of(const Node& node, std::size_t weights, int layout) {
  std::vector<int> slots;
  for (std::size_t i = 0; i < node.inputs.size(); ++i)
    slots.push_back(slot_of(node.inputs[i], i >= 1 && i <= weights ? layout : LNT_PLAIN));
  return slots;
}

void ProgramWriter::check_weights(const Node& node, std::size_t first) const {
  for (std::size_t i = first; i < node.inputs.size(); ++i)
    check<GraphError>(of_.constants[of_.sources[node.inputs[i]]], "deploy: ", Graph::op_name(node),
                      " with a computed weight or bias, ", of_.graph.value_name(of_.sources[node.inputs[i]]),
                      ", is not yet lowered. It must be a parameter or constant.");
}

void ProgramWriter::append_step(std::uint16_t opcode, std::vector<int> reads, int writes, Params params) {
  Step step;
  step.opcode = opcode;
  step.reads = std::move(reads);
  step.writes = writes;
  step.params = std::move(params);
  program_.steps.push_back(std::move(step));
}

void ProgramWriter::write(const Node& node, std::uint16_t opcode, std::vector<int> reads, Params params) {
  program_.ops.insert(std::string(name(node.op)));
  const int to = new_slot(node.output == of_.output ? LNT_OUT : LNT_ACT,
                          is_float(value(node.output).dtype) ? LNT_F32 : LNT_I32, of_.shapes[node.output]);
  slots_[{node.output, LNT_PLAIN}] = to;
  append_step(opcode, std::move(reads), to, std::move(params));
}

void ProgramWriter::add_scratch(std::int64_t bytes) {
  const int slot = new_slot(LNT_TMP, LNT_F32, {(bytes + 3) / 4});
  program_.steps.back().scratch = slot;
}

/// Constants as they are first read, inputs, what is written.
Program ProgramWriter::numbered() const {
  std::vector<int> order;
  std::vector<int> number(program_.slots.size(), -1);
  auto take = [&](int slot) {
    if (number[slot] >= 0) return;
    number[slot] = static_cast<int>(order.size());
    order.push_back(slot);
  };
  for (const Step& step : program_.steps)
    for (int slot : step.reads)
      if (program_.slots[slot].kind == LNT_CONST) take(slot);
  for (std::size_t i = 0; i < program_.slots.size(); ++i)
    if (program_.slots[i].kind == LNT_IN) take(static_cast<int>(i));
  for (const Step& step : program_.steps) {
    take(step.writes);
    if (step.scratch >= 0) take(step.scratch);
  }
  Program program;
  program.ops = program_.ops;
  for (int slot : order) program.slots.push_back(program_.slots[slot]);
  for (Step step : program_.steps) {
    for (int& slot : step.reads) slot = number[slot];
    step.writes = number[step.writes];
    if (step.scratch >= 0) step.scratch = number[step.scratch];
    program.steps.push_back(std::move(step));
  }
  return program;
}

Program ProgramWriter::finish() {
  Program program = numbered();
  const int end = static_cast<int>(program.steps.size());
  for (int i = 0; i < end; ++i) {
    const Step& step = program.steps[i];
    for (int slot : step.reads) program.slots[slot].last = i;
    program.slots[step.writes].first = i;
    if (step.scratch >= 0) program.slots[step.scratch].first = program.slots[step.scratch].last = i;
  }
  for (Slot& slot : program.slots) {
    if (slot.kind != LNT_OUT) continue;
    slot.last = end;
    slot.name = "output";
  }
  for (int i = 0; i < end; ++i) {
    const Step& step = program.steps[i];
    const Slot& from = program.slots[step.reads[0]];
    if (works_in_place(step.opcode) && from.kind != LNT_CONST && from.last == i &&
        from.bytes() == program.slots[step.writes].bytes())
      program.slots[step.writes].same_as = step.reads[0];
  }
  return program;
}

}  // namespace linnet::deploy
