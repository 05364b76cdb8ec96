// SPDX-License-Identifier: Apache-2.0
#include "linnet/graph/attributes.h"

#include <optional>

#include "linnet/autograd/recorder.h"
#include "linnet/core/find_op.h"
#include "linnet/graph/graph.h"

namespace linnet::graph {
namespace {

using enum AttributeKind;

constexpr AttributeRule kP[] = {{"p", real}};
constexpr AttributeRule kPQ[] = {{"p", real}, {"q", real}};
constexpr AttributeRule kAxis[] = {{"axis", integer}};
constexpr AttributeRule kReduce[] = {{"axes", list}, {"keep_dims", integer}};
// What is fused behind an op: "activation", the name of an elementwise op, with its p and q.
constexpr AttributeRule kDense[] = {
    {"activation", text, false, true}, {"p", real, false, true}, {"q", real, false, true}};
constexpr AttributeRule kConv[] = {
    {"stride", list},         {"padding", text},       {"pads", list, false, true},
    {"dilation", list},       {"groups", integer},     {"activation", text, false, true},
    {"p", real, false, true}, {"q", real, false, true}};
constexpr AttributeRule kConvTranspose[] = {{"stride", list},
                                            {"padding", text},
                                            {"pads", list, false, true},
                                            {"dilation", list},
                                            {"output_padding", list},
                                            {"groups", integer},
                                            {"activation", text, false, true},
                                            {"p", real, false, true},
                                            {"q", real, false, true}};
constexpr AttributeRule kUpsample[] = {{"size", list}, {"mode", text}};
constexpr AttributeRule kPool[] = {
    {"stride", list}, {"padding", text}, {"pads", list, false, true}, {"kernel", list}};
constexpr AttributeRule kReshape[] = {{"shape", list, true}};
constexpr AttributeRule kTranspose[] = {{"order", list}};
constexpr AttributeRule kSlice[] = {
    {"axis", integer}, {"begin", integer, true}, {"end", integer, true}, {"step", integer}};
constexpr AttributeRule kBatchNorm[] = {{"eps", real},
                                        {"momentum", real},
                                        {"frozen", integer},
                                        {"activation", text, false, true},
                                        {"p", real, false, true},
                                        {"q", real, false, true}};
constexpr AttributeRule kGroupNorm[] = {{"groups", integer}, {"eps", real}};
constexpr AttributeRule kLayerNorm[] = {{"axes", integer}, {"eps", real}};
constexpr AttributeRule kEmbedding[] = {{"padding_idx", integer, false, true}};
// All but the bits belong to a range that is given.
constexpr AttributeRule kFakeQuant[] = {{"bits", integer},
                                        {"symmetric", integer, false, true},
                                        {"momentum", real, false, true},
                                        {"frozen", integer, false, true}};
constexpr AttributeRule kPad[] = {{"before", list, true}, {"after", list, true}, {"value", real}};

constexpr AttributeRule kRnn[] = {
    {"reverse", integer}, {"sequence", integer}, {"masked", integer}, {"relu", integer}};
constexpr AttributeRule kGru[] = {{"reverse", integer}, {"sequence", integer}, {"masked", integer}};
constexpr AttributeRule kLstm[] = {
    {"reverse", integer}, {"sequence", integer}, {"masked", integer}, {"cell_row", integer}};

constexpr std::int64_t kLargestInteger = std::int64_t{1} << 31;

bool has_kind(const StateValue& value, AttributeKind kind) {
  switch (kind) {
    case integer:
      return value.is_integer();
    case real:
      return value.is_real();
    case text:
      return value.is_text();
    case list:
      return value.is_tensor() && value.tensor().defined() && value.tensor().dtype() == i64 &&
             value.tensor().rank() == 1 && value.tensor().size() <= Shape::kMaxRank;
  }
  return false;
}

void check_attribute(const std::string& where, const AttributeRule& rule, const StateValue& value) {
  constexpr const char* kinds[] = {"an integer", "a real number", "a text", "a list of at most 6 integers"};
  check<GraphError>(has_kind(value, rule.kind), where, ": attribute ", rule.name, " must be ",
                    kinds[static_cast<int>(rule.kind)], ", got ", value.kind(), ".");
  if (rule.kind != integer && rule.kind != list) return;
  for (std::size_t i = 0; i < count_of(value); ++i) {
    std::int64_t number = integer_at(value, i);
    check<GraphError>(number <= kLargestInteger && number >= (rule.sizes ? -kLargestInteger : 0), where,
                      ": attribute ", rule.name, " is out of range: ", number, ".");
  }
}

/// A known one, and of p and q those that it has; neither without one.
void check_activation(const std::string& where, const State& attributes) {
  const StateValue* text = attributes.find("activation");
  const std::optional<Op> op = text ? find_op(text->text()) : std::nullopt;
  check<GraphError>(!text || (op && is_unary(*op)), where, ": attribute activation, ",
                    text ? text->text() : "", ", is no elementwise op of one tensor.");
  for (std::string_view name : {"p", "q"}) {
    bool wanted = false;
    if (op)
      for (const AttributeRule& rule : attribute_rules(*op)) wanted = wanted || rule.name == name;
    check<GraphError>(attributes.has(name) == wanted, where, ": attribute ", name, " of the activation is ",
                      wanted ? "missing." : "not wanted.");
  }
}

std::string value_str(const StateValue& value, bool sizes) {
  if (value.is_real()) return Piece(value.real()).text();
  if (value.is_text()) return value.text();
  Sizes numbers;
  for (std::size_t i = 0; i < count_of(value); ++i) numbers.push_back(integer_at(value, i));
  std::string all = sizes ? str(numbers) : Shape(numbers).str();
  return value.is_integer() ? all.substr(1, all.size() - 2) : all;
}

}  // namespace

std::span<const AttributeRule> attribute_rules(Op op) {
  switch (op) {
    case Op::elu:
    case Op::leaky_relu:
    case Op::pow:
    case Op::dropout:
    case Op::huber:
    case Op::focal:
    case Op::spatial_dropout:
    case Op::gaussian_noise:
      return kP;
    case Op::clamp:
      return kPQ;
    case Op::dense:
      return kDense;
    case Op::conv2d:
      return kConv;
    case Op::conv_transpose2d:
      return kConvTranspose;
    case Op::upsample2d:
      return kUpsample;
    case Op::max_pool2d:
    case Op::avg_pool2d:
      return kPool;
    case Op::sum:
    case Op::mean:
    case Op::max:
      return kReduce;
    case Op::rnn:
      return kRnn;
    case Op::gru:
      return kGru;
    case Op::lstm:
      return kLstm;
    case Op::softmax:
    case Op::log_softmax:
    case Op::concat:
      return kAxis;
    case Op::reshape:
      return kReshape;
    case Op::transpose:
      return kTranspose;
    case Op::slice:
      return kSlice;
    case Op::pad:
      return kPad;
    case Op::embedding:
      return kEmbedding;
    case Op::batch_norm:
      return kBatchNorm;
    case Op::group_norm:
      return kGroupNorm;
    case Op::layer_norm:
      return kLayerNorm;
    case Op::fake_quant:
      return kFakeQuant;
    default:
      return {};
  }
}

bool takes_activation(Op op) {
  return op == Op::dense || op == Op::conv2d || op == Op::conv_transpose2d || op == Op::batch_norm;
}

std::size_t count_of(const StateValue& value) {
  return value.is_tensor() ? static_cast<std::size_t>(value.tensor().size()) : 1;
}

std::int64_t integer_at(const StateValue& value, std::size_t place) {
  return value.is_tensor() ? value.tensor().data<std::int64_t>()[place] : value.integer();
}

void check_attributes(const std::string& where, Op op, const State& attributes) {
  std::size_t known = 0;
  for (const AttributeRule& rule : attribute_rules(op)) {
    const StateValue* value = attributes.find(rule.name);
    check<GraphError>(value || rule.optional, where, ": attribute ", rule.name, " is missing.");
    if (!value) continue;
    ++known;
    check_attribute(where, rule, *value);
  }
  check<GraphError>(known == attributes.size(), where, ": expected ", known, " attributes, got ",
                    attributes.size(), ".");
  if (takes_activation(op)) check_activation(where, attributes);
}

std::string attributes_str(Op op, const State& attributes) {
  std::string all;
  for (const AttributeRule& rule : attribute_rules(op)) {
    const StateValue* value = attributes.find(rule.name);
    if (value) all += concat({all.empty() ? "{" : ", ", rule.name, " ", value_str(*value, rule.sizes)});
  }
  return all.empty() ? all : all + "}";
}

State map_sizes(Op op, const State& attributes, const ChangeSize& change) {
  State changed;
  for (const auto& [name, value] : attributes) {
    bool sizes = false;
    for (const AttributeRule& rule : attribute_rules(op)) sizes = sizes || (rule.name == name && rule.sizes);
    if (!sizes) {
      changed.set(name, value);
    } else if (value.is_integer()) {
      changed.set(name, change(name, 0, value.integer()));
    } else {
      Sizes numbers;
      for (std::size_t i = 0; i < count_of(value); ++i)
        numbers.push_back(change(name, i, integer_at(value, i)));
      changed.set(name, integers(numbers));
    }
  }
  return changed;
}

std::int64_t size_at_batch(std::int64_t size, std::int64_t batch) {
  if (size >= 0) return size;
  check<GraphError>(batch >= 0 && (batch == 0 || -size <= kLargestSize / batch), "graph: ", -size,
                    " times batch ", batch, " is too large.");
  return -size * batch;
}

}  // namespace linnet::graph
