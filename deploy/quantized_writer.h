// SPDX-License-Identifier: Apache-2.0
#pragma once
// A Program with integer ops where a QuantizedPlan says so. Between them and what runs in f32 stand
// LNT_QUANTIZE and LNT_DEQUANTIZE, once for each value. Private to deploy.

#include "linnet/deploy/quantized_numbers.h"
#include "linnet/deploy/quantized_plan.h"

namespace linnet::deploy {

class QuantizedWriter : public ProgramWriter {
 public:
  QuantizedWriter(const LoweredGraph& of, const std::vector<const graph::Node*>& needed);

  /// The ops of one node, or none when they are those of a later one.
  void add(const graph::Node& node) override;
  Program finish() override;

 protected:
  int slot_of(int place, int layout) override;
  void write(const graph::Node& node, std::uint16_t opcode, std::vector<int> reads, Params params) override;

 private:
  using Node = graph::Node;
  int integer_slot(int place) const { return slots_.at({of_.sources[place], kInteger}); }
  int new_integers(const Shape& shape, const Quantizer& grid);
  int table(const Tensor& contents, int dtype);
  int weight_slot(const IntegerWeights& weights, std::vector<lnt_multiplier> factors);
  IntegerWeights weights_of(int place) const;
  /// The op of a rounding, whose result is reshaped if that stands between.
  void write_integers(const Node& rounding, std::uint16_t opcode, std::vector<int> reads, Params params,
                      std::int64_t scratch = 0);
  /// What an average reads, a sequence as an image of one column.
  int image_slot(const Node& average);
  /// Of the result, with what an activation between leaves of low and high.
  Quantizer limited(const Node& rounding) const;
  void append_range(Params& params, const Node& rounding) const;
  static void append_factor(Params& params, double factor);
  int gate(int opcode);

  void add_moving(const Node& node);
  void add_dynamic(const Node& node);
  void add_rounding(const Node& rounding);
  void add_core(const Node& rounding, const Node& core);
  void add_product(const Node& rounding, const Node& core);
  void add_average(const Node& rounding, const Node& core);
  void add_lookup(const Node& rounding, const Node& core);
  void add_arithmetic(const Node& rounding, const Node& core);
  void add_parts(const Node& rounding, const Node& core);
  void add_recurrent(const Node& rounding, const Node& core);

  static constexpr int kInteger = 2;  ///< beside LNT_PLAIN and LNT_BLOCKED, in slots_
  QuantizedPlan plan_;
  bool moving_ = false;             ///< what is written reads and gives integers
  std::map<int, int> gate_tables_;  ///< of sigmoid and tanh, by opcode
};

}  // namespace linnet::deploy
