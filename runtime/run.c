// SPDX-License-Identifier: Apache-2.0
/* Binding a checked model to its arena, its inputs and outputs, and running its ops. */
#include <string.h>

#include "linnet/runtime/packed.h"

lnt_tensor lnt_read_tensor(const lnt_info* info, uint32_t id) {
  lnt_tensor t;
  const uint8_t* r = t.record = info->tens.at + LNT_TENSOR_BYTES * (size_t)id;
  t.dtype = r[LNT_AT_DTYPE];
  t.rank = r[LNT_AT_RANK];
  t.kind = r[LNT_AT_KIND];
  t.encoding = r[LNT_AT_ENCODING];
  t.layout = r[LNT_AT_LAYOUT];
  t.port = r[LNT_AT_PORT];
  for (uint32_t i = 0; i < LNT_MAX_RANK; ++i) t.dims[i] = lnt_u32(r + LNT_AT_DIMS + 4 * i);
  t.quant = lnt_u32(r + LNT_AT_QUANT);
  t.entry = t.quant != LNT_NO_QUANT && t.quant < info->quant.len ? info->quant.at + t.quant : NULL;
  t.bytes = lnt_u32(r + LNT_AT_BYTES);
  t.off = lnt_u64(r + LNT_AT_OFF);
  return t;
}

lnt_tensor lnt_read_operand(const lnt_info* info, uint32_t id) {
  lnt_tensor t = lnt_read_tensor(info, id);
  if (t.encoding != LNT_PACKED) return t;
  uint64_t bytes = lnt_size_of(t.dtype); /* below 2^32 in all, which lnt_check saw */
  for (uint32_t i = 0; i < t.rank; ++i)
    bytes *= i == 0 && t.layout == LNT_BLOCKED ? lnt_round_up(t.dims[0], LNT_BLOCK) : t.dims[i];
  t.bytes = (uint32_t)bytes;
  return t;
}

lnt_op lnt_read_op(const uint8_t* record) {
  lnt_op op;
  op.record = record;
  op.opcode = lnt_u16(record + LNT_AT_OPCODE);
  op.n_in = record[LNT_AT_N_IN];
  op.n_out = record[LNT_AT_N_OUT];
  op.param_len = lnt_u16(record + LNT_AT_PARAM_LEN);
  op.version = lnt_u16(record + LNT_AT_OP_VERSION);
  return op;
}

static uint8_t* memory_of(const lnt_model* model, const lnt_tensor* t) {
  const lnt_info* info = &model->info;
  if (t->encoding == LNT_PACKED)
    return model->arena + info->unpacked_at + lnt_u64(info->data.at + t->off + LNT_AT_UNPACKED);
  return model->arena + t->off;
}

lnt_status lnt_bind(lnt_model* model, const lnt_info* info, void* arena, size_t arena_len) {
  if (model == NULL) return LNT_E_BAD_ARGUMENT;
  lnt_model bound;
  memset(model, 0, sizeof *model);
  if (info == NULL || info->file.at == NULL || arena == NULL) return LNT_E_BAD_ARGUMENT;
  if ((uintptr_t)arena % LNT_ARENA_ALIGN != 0) return LNT_E_MISALIGNED;
  if (arena_len < info->arena_bytes) return LNT_E_ARENA_TOO_SMALL;
  bound.info = *info;
  bound.arena = (uint8_t*)arena;
  bound.isa = lnt_best_isa();
  bound.parallel = NULL;
  bound.context = NULL;
  for (uint32_t id = 0; id < info->n_consts; ++id) {
    const lnt_tensor t = lnt_read_operand(info, id);
    if (t.encoding == LNT_PACKED) lnt_unpack(&t, info->data.at + t.off, memory_of(&bound, &t), t.bytes);
  }
  for (uint32_t i = 0; i < info->n_inputs; ++i) {
    const lnt_tensor t = lnt_read_tensor(info, info->n_consts + i);
    memset(bound.arena + t.off, 0, t.bytes);
  }
  *model = bound;
  return LNT_OK;
}

lnt_status lnt_set_isa(lnt_model* model, lnt_isa isa) {
  if (model == NULL || model->arena == NULL) return LNT_E_BAD_ARGUMENT;
  if (!lnt_has_isa(isa)) return LNT_E_ISA;
  model->isa = isa;
  return LNT_OK;
}

lnt_status lnt_set_parallel(lnt_model* model, lnt_parallel parallel, void* context) {
  if (model == NULL || model->arena == NULL) return LNT_E_BAD_ARGUMENT;
  model->parallel = parallel;
  model->context = context;
  return LNT_OK;
}

void lnt_share(const lnt_operands* o, lnt_task task, void* work, uint32_t count) {
  if (o->parallel != NULL && count > 1) {
    o->parallel(o->context, task, work, count);
    return;
  }
  for (uint32_t i = 0; i < count; ++i) task(work, i);
}

/* The value of "input.N" or "output.N". */
static const char* port_name(const lnt_info* info, uint8_t kind, uint32_t port) {
  char key[] = "output.00";
  char* p = key + 7;
  if (kind == LNT_IN) {
    memcpy(key, "input.", 6);
    p = key + 6;
  }
  if (port >= 10) *p++ = (char)('0' + port / 10);
  *p++ = (char)('0' + port % 10);
  *p = 0;
  const char* name = lnt_meta(info, key);
  return name != NULL ? name : "";
}

static lnt_status view_port(const lnt_model* model, uint8_t kind, uint32_t port, lnt_view* view) {
  if (view == NULL) return LNT_E_BAD_ARGUMENT;
  memset(view, 0, sizeof *view);
  if (model == NULL || model->arena == NULL) return LNT_E_BAD_ARGUMENT;
  const lnt_info* info = &model->info;
  for (uint32_t id = info->n_consts; id < info->n_tensors; ++id) {
    const lnt_tensor t = lnt_read_tensor(info, id);
    if (t.kind != kind || t.port != port) continue;
    view->data = model->arena + t.off;
    view->bytes = t.bytes;
    view->name = port_name(info, kind, port);
    view->dtype = t.dtype;
    view->rank = t.rank;
    memcpy(view->dims, t.dims, sizeof view->dims);
    if (t.entry != NULL) {
      view->scale = lnt_scale(&t, 0);
      view->zero = lnt_zero(&t);
    }
    return LNT_OK;
  }
  return LNT_E_BAD_ARGUMENT;
}

lnt_status lnt_input(const lnt_model* model, uint32_t port, lnt_view* view) {
  return view_port(model, LNT_IN, port, view);
}

lnt_status lnt_output(const lnt_model* model, uint32_t port, lnt_view* view) {
  return view_port(model, LNT_OUT, port, view);
}

static const uint8_t* memory_to_read(const lnt_model* model, const lnt_tensor* t) {
  const int in_file = t->kind == LNT_CONST && t->encoding == LNT_RAW;
  return in_file ? model->info.data.at + t->off : memory_of(model, t);
}

lnt_status lnt_run(lnt_model* model) {
  if (model == NULL || model->arena == NULL) return LNT_E_BAD_ARGUMENT;
  const lnt_info* info = &model->info;
  const uint8_t* r = info->ops.at;
  const uint32_t place = lnt_isa_place(model->isa);
  lnt_status status = LNT_OK;
  lnt_operands operands;
  operands.status = &status;
  operands.parallel = model->parallel;
  operands.context = model->context;
  for (uint32_t i = 0; i < info->n_ops; ++i) {
    const lnt_op op = lnt_read_op(r);
    operands.opcode = op.opcode;
    operands.n_in = op.n_in;
    operands.params = lnt_op_params(&op);
    for (uint32_t k = 0; k < op.n_in; ++k) {
      operands.in[k] = lnt_read_operand(info, lnt_op_input(&op, k));
      operands.in_data[k] = memory_to_read(model, &operands.in[k]);
    }
    for (uint32_t k = 0; k < op.n_out; ++k) {
      operands.out[k] = lnt_read_tensor(info, lnt_op_output(&op, k));
      operands.out_data[k] = memory_of(model, &operands.out[k]);
    }
    lnt_find_kernel(op.opcode)->run[place](&operands);
    r += lnt_op_size(&op);
  }
  return status;
}
