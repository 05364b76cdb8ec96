// SPDX-License-Identifier: Apache-2.0
#pragma once
// Models of one op on quantized tensors, every part of which a test can change.

#include <cstdint>
#include <vector>

#include "model_builder.h"

namespace linnet::test {

struct Int8Operand {
  ModelBuilder::Dims dims;
  std::uint8_t dtype = LNT_I8;
  bool constant = false;
  Quant quant = {};
  bool has_entry = true;                  ///< of i8
  std::vector<std::int32_t> values = {};  ///< of constants; those past the end are some pattern
};

struct Int8Op {
  std::uint16_t opcode = 0;
  std::vector<Int8Operand> in = {};
  Int8Operand out = {};
  std::vector<std::uint32_t> params = {};
  std::uint32_t scratch = 0;  ///< in words
};

Int8Operand quantized(const ModelBuilder::Dims& dims, const Quant& quant);
Int8Operand weight(const ModelBuilder::Dims& dims, const Quant& quant);
Int8Operand constant(const ModelBuilder::Dims& dims, std::uint8_t dtype,
                     const std::vector<std::int32_t>& values);
Int8Operand table(std::uint32_t size);
/// - zero of x times the sums of rows, which products of `weight` begin with.
Int8Operand sums_of(const Int8Operand& weight, std::int32_t x_zero);

/// Inputs by port are the operands that are no constants.
File int8_file(const Int8Op& op);

Int8Op int8_quantize();
Int8Op int8_dense();
Int8Op int8_conv();
Int8Op int8_pool(std::uint16_t opcode);
Int8Op int8_binary(std::uint16_t opcode);  ///< [2, 3, 4] and [3, 1] -> [2, 3, 4]
Int8Op int8_lookup();
Int8Op int8_softmax();
Int8Op int8_pad();
Int8Op int8_recurrent(bool lstm);  ///< 2 units, the last step of 4
Int8Op dynamic_dense();
Int8Op dynamic_conv2d();

}  // namespace linnet::test
