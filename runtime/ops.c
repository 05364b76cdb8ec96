// SPDX-License-Identifier: Apache-2.0
/* The table of ops, made from ops.def: all of them, or those that LNT_OPS_CONFIG selects. */
#include "linnet/runtime/kernels.h"
#include "linnet/runtime/shapes.h"

#define KERNEL_OF(name, isa) lnt_run_##name##_##isa,
#define EACH(name) \
  { LNT_ISAS(KERNEL_OF, name) }
#define SAME_KERNEL(name, isa) lnt_run_##name,
#define ONE(name) \
  { LNT_ISAS(SAME_KERNEL, name) }

#define ROW(opcode, version, params, least, most, in_place, blocked, check, scratch, ...) \
  {opcode, version, params, least, most, in_place, blocked, lnt_check_##check, scratch, __VA_ARGS__},

#if defined(LNT_OPS_CONFIG)
/* A header that defines LNT_WITH_<name> as 1 or 0 for every op. */
#include LNT_OPS_CONFIG
#define IF_0(...)
#define IF_1(...) ROW(__VA_ARGS__)
#define PICK_NOW(with, ...) IF_##with(__VA_ARGS__)
#define PICK(with, ...) PICK_NOW(with, __VA_ARGS__)
#define OP(name, ...) PICK(LNT_WITH_##name, __VA_ARGS__)
#else
#define OP(name, ...) ROW(__VA_ARGS__)
#endif

const lnt_kernel* lnt_find_kernel(uint16_t opcode) {
  static const lnt_kernel kernels[] = {
#include "linnet/runtime/ops.def"
  };
  for (size_t i = 0; i < sizeof kernels / sizeof kernels[0]; ++i) {
    if (kernels[i].opcode == opcode) return &kernels[i];
  }
  return NULL;
}

int lnt_is_unary(uint32_t opcode) { return opcode == LNT_RELU || (opcode >= LNT_NEG && opcode <= LNT_CLAMP); }

lnt_activation lnt_read_activation(const lnt_operands* o, uint32_t at) {
  lnt_activation act = {lnt_param(o, at), lnt_param_float(o, at + 1), lnt_param_float(o, at + 2),
                        LNT_CLAMP_NONE};
  if (act.opcode == LNT_RELU) act.clamp = LNT_CLAMP_RELU;
  if (act.opcode == LNT_RELU6) act.clamp = LNT_CLAMP_RELU6;
  return act;
}
