// SPDX-License-Identifier: Apache-2.0
/* The verifier's second half: ops and memory plan; the records of tensors are in check_tensors.c.

   The file's order makes each rule local. Ids are given in the order of first reading (constants) and of
   writing (the rest), so "acyclic", "one writer" and "everything used" are comparisons with two counters. For
   the memory plan one walk over the ops keeps the tensors that live, sorted by offset: a newcomer needs only
   its two neighbours. `last`, which the file states, says when a tensor leaves; that it is the last reading
   is proved by the walk too. */
#include "linnet/runtime/runtime_impl.h"

typedef struct graph {
  lnt_info* info;
  const lnt_limits* limits;
  uint32_t next_const; /* the next constant that nobody has read yet */
  uint32_t next_out;   /* the next tensor that nobody has written yet */
  uint32_t op;         /* number of the op at hand */
  uint64_t work;       /* of the ops so far */
  uint32_t n_live;
  uint32_t live[LNT_MAX_LIVE]; /* ids, ascending by offset */
} graph;

static const uint8_t* record_of(const lnt_info* info, uint32_t id) {
  return info->tens.at + LNT_TENSOR_BYTES * (size_t)id;
}
static uint64_t off_of(const lnt_info* info, uint32_t id) {
  return lnt_u64(record_of(info, id) + LNT_AT_OFF);
}
static uint32_t bytes_of(const lnt_info* info, uint32_t id) {
  return lnt_u32(record_of(info, id) + LNT_AT_BYTES);
}
static const uint8_t* last_field(const lnt_info* info, uint32_t id) {
  return info->plan.at + LNT_AT_LAST + 4 * (size_t)(id - info->n_consts);
}
static uint32_t last_of(const lnt_info* info, uint32_t id) { return lnt_u32(last_field(info, id)); }

/* A tensor begins to live; it may lie on `dying` (or, without one, pass `id` itself), whose place in the list
 * it takes. */
static lnt_status live_add(graph* g, uint32_t id, uint32_t dying) {
  lnt_info* info = g->info;
  const uint8_t* at = last_field(info, id);
  const uint64_t begin = off_of(info, id), end = begin + bytes_of(info, id);
  const int is_out = record_of(info, id)[LNT_AT_KIND] == LNT_OUT;
  LNT_REQUIRE((last_of(info, id) == LNT_LAST_END) == is_out, info, LNT_E_PLAN_LIFETIME, at, LNT_LAST_END,
              last_of(info, id));
  uint32_t place = 0;
  while (place < g->n_live && off_of(info, g->live[place]) < begin) ++place;
  if (place < g->n_live && g->live[place] == dying) {
    g->live[place] = id; /* same offset and size: its neighbours stay neighbours */
    return LNT_OK;
  }
  LNT_REQUIRE(g->n_live < LNT_MAX_LIVE, info, LNT_E_PLAN_LIVE, at, LNT_MAX_LIVE, (uint64_t)g->n_live + 1);
  if (place > 0) {
    const uint32_t below = g->live[place - 1];
    const uint64_t below_end = off_of(info, below) + bytes_of(info, below);
    LNT_REQUIRE(below_end <= begin, info, LNT_E_PLAN_OVERLAP, at, below_end, begin);
  }
  if (place < g->n_live) {
    const uint64_t above = off_of(info, g->live[place]);
    LNT_REQUIRE(end <= above, info, LNT_E_PLAN_OVERLAP, at, end, above);
  }
  for (uint32_t i = g->n_live++; i > place; --i) g->live[i] = g->live[i - 1];
  g->live[place] = id;
  return LNT_OK;
}

static void live_remove(graph* g, uint32_t id) {
  uint32_t place = 0;
  while (place < g->n_live && g->live[place] != id) ++place;
  if (place == g->n_live) return; /* read twice by its last op, or replaced by what was written onto it */
  --g->n_live;
  for (; place < g->n_live; ++place) g->live[place] = g->live[place + 1];
}

/* The record as such: known, of the right form, within the section. */
static lnt_status check_op_form(lnt_info* info, const lnt_op* op, const lnt_kernel* kernel, size_t left) {
  const uint8_t* r = op->record;
  LNT_REQUIRE(kernel != NULL, info, LNT_E_OP_UNKNOWN, r + LNT_AT_OPCODE, 0, op->opcode);
  LNT_REQUIRE(op->version >= 1 && op->version <= kernel->version, info, LNT_E_OP_VERSION,
              r + LNT_AT_OP_VERSION, kernel->version, op->version);
  const uint8_t n_in = op->n_in < kernel->min_in ? kernel->min_in : kernel->max_in;
  LNT_REQUIRE(op->n_in >= kernel->min_in && op->n_in <= kernel->max_in, info, LNT_E_OP_ARITY, r + LNT_AT_N_IN,
              n_in, op->n_in);
  const uint8_t n_out = lnt_n_out(kernel);
  LNT_REQUIRE(op->n_out == n_out, info, LNT_E_OP_ARITY, r + LNT_AT_N_OUT, n_out, op->n_out);
  const uint32_t param_len = 4u * kernel->n_params;
  LNT_REQUIRE(op->param_len == param_len, info, LNT_E_OP_PARAMS, r + LNT_AT_PARAM_LEN, param_len,
              op->param_len);
  LNT_REQUIRE(lnt_op_size(op) <= left, info, LNT_E_OP_CUT, r, lnt_op_size(op), left);
  return LNT_OK;
}

static lnt_status check_read(graph* g, uint32_t id, const uint8_t* at) {
  lnt_info* info = g->info;
  LNT_REQUIRE(id < g->next_out, info, LNT_E_OP_READS, at, g->next_out, id);
  if (id < info->n_consts) {
    LNT_REQUIRE(id <= g->next_const, info, LNT_E_CONST_ORDER, at, g->next_const, id);
    if (id == g->next_const) ++g->next_const;
  } else {
    LNT_REQUIRE(last_of(info, id) >= g->op, info, LNT_E_PLAN_LIFETIME, at, last_of(info, id), g->op);
  }
  return LNT_OK;
}

/* The tensors of an op; the ids that it writes are the next. */
static lnt_status read_operands(graph* g, const lnt_op* op, const lnt_kernel* kernel,
                                lnt_operands* operands) {
  lnt_info* info = g->info;
  for (uint32_t i = 0; i < op->n_in; ++i) {
    const uint32_t id = lnt_op_input(op, i);
    const uint8_t* at = op->record + LNT_AT_IDS + 4 * i;
    const lnt_status status = check_read(g, id, at);
    if (status != LNT_OK) return status;
    const lnt_tensor* t = &operands->in[i];
    operands->in[i] = lnt_read_operand(info, id);
    operands->in_data[i] = t->kind == LNT_CONST ? info->data.at + t->off : NULL;
    LNT_REQUIRE(t->layout == LNT_PLAIN || (kernel->blocked >> i & 1) != 0, info, LNT_E_TENSOR_STORAGE, at,
                LNT_PLAIN, t->layout);
  }
  for (uint32_t i = 0; i < op->n_out; ++i, ++g->next_out) {
    const uint32_t id = lnt_op_output(op, i);
    const uint8_t* at = op->record + LNT_AT_IDS + 4 * ((uint32_t)op->n_in + i);
    LNT_REQUIRE(id == g->next_out && id < info->n_tensors, info, LNT_E_OP_WRITES, at, g->next_out, id);
    operands->out[i] = lnt_read_operand(info, id);
    const int scratch = operands->out[i].kind == LNT_TMP;
    LNT_REQUIRE(scratch == (i == 1), info, LNT_E_OP_WRITES, at, i, (uint64_t)scratch);
  }
  return LNT_OK;
}

/* Scratch is [n] of f32, as large as the op needs it. */
static lnt_status check_scratch(lnt_info* info, const lnt_kernel* kernel, const lnt_operands* operands) {
  if (kernel->scratch == NULL) return LNT_OK;
  const lnt_tensor* t = &operands->out[1];
  const uint64_t bytes = kernel->scratch(operands);
  LNT_REQUIRE(t->rank == 1 && t->dtype == LNT_F32 && t->bytes == bytes, info, LNT_E_TENSOR_BYTES,
              t->record + LNT_AT_BYTES, bytes, t->bytes);
  return LNT_OK;
}

/* Ids, shapes, then memory: outputs come to life before inputs die, so they never share but for the allowed
 * case. */
static lnt_status check_op(graph* g, const lnt_op* op, const lnt_kernel* kernel) {
  lnt_info* info = g->info;
  lnt_operands operands;
  operands.opcode = op->opcode;
  operands.n_in = op->n_in;
  operands.params = lnt_op_params(op);
  lnt_status status = read_operands(g, op, kernel, &operands);
  if (status != LNT_OK) return status;
  const uint64_t work = lnt_work(&operands, op->n_out), most = g->limits->work;
  LNT_REQUIRE(work <= most && g->work <= most - work, info, LNT_E_OVER_LIMIT, op->record, most,
              g->work + work);
  g->work += work;
  lnt_mismatch mismatch = {0, 0};
  status = kernel->check(&operands, &mismatch);
  LNT_REQUIRE(status == LNT_OK, info, status, op->record, mismatch.expected, mismatch.actual);
  status = check_scratch(info, kernel, &operands);
  if (status != LNT_OK) return status;

  for (uint32_t i = 0; i < op->n_out; ++i) {
    const uint32_t id = lnt_op_output(op, i), x = lnt_op_input(op, 0);
    const int onto_x = i == 0 && kernel->in_place && operands.in[0].kind != LNT_CONST &&
                       last_of(info, x) == g->op && operands.in[0].off == operands.out[0].off &&
                       operands.in[0].bytes == operands.out[0].bytes;
    status = live_add(g, id, onto_x ? x : id);
    if (status != LNT_OK) return status;
  }
  for (uint32_t i = 0; i < op->n_in; ++i) {
    const uint32_t id = lnt_op_input(op, i);
    if (id >= info->n_consts && last_of(info, id) == g->op) live_remove(g, id);
  }
  if (op->n_out == 2) {
    const uint32_t id = lnt_op_output(op, 1);
    LNT_REQUIRE(last_of(info, id) == g->op, info, LNT_E_PLAN_LIFETIME, last_field(info, id), g->op,
                last_of(info, id));
    live_remove(g, id);
  }
  return LNT_OK;
}

static lnt_status check_ops(graph* g) {
  lnt_info* info = g->info;
  const uint8_t* r = info->ops.at;
  size_t left = info->ops.len;
  while (left != 0) {
    LNT_REQUIRE(left >= LNT_OP_BYTES, info, LNT_E_OP_CUT, r, LNT_OP_BYTES, left);
    LNT_REQUIRE(g->op < g->limits->ops, info, LNT_E_OVER_LIMIT, r, g->limits->ops, (uint64_t)g->op + 1);
    const lnt_op op = lnt_read_op(r);
    const lnt_kernel* kernel = lnt_find_kernel(op.opcode);
    lnt_status status = check_op_form(info, &op, kernel, left);
    if (status == LNT_OK) status = check_op(g, &op, kernel);
    if (status != LNT_OK) return status;
    ++g->op;
    r += lnt_op_size(&op);
    left -= lnt_op_size(&op);
  }
  info->n_ops = g->op;
  info->work = g->work;
  return LNT_OK;
}

lnt_status lnt_check_graph(lnt_info* info, const lnt_limits* limits) {
  const uint64_t n = info->tens.len / LNT_TENSOR_BYTES;
  LNT_REQUIRE(info->tens.len % LNT_TENSOR_BYTES == 0, info, LNT_E_SECTION_SIZE, info->tens.at,
              n * LNT_TENSOR_BYTES, info->tens.len);
  LNT_REQUIRE(n <= limits->tensors, info, LNT_E_OVER_LIMIT, info->tens.at, limits->tensors, n);
  info->n_tensors = (uint32_t)n;
  lnt_status status = lnt_check_tensors(info, limits);
  if (status != LNT_OK) return status;

  graph g = {info, limits, 0, info->n_consts + info->n_inputs, 0, 0, 0, {0}};
  for (uint32_t id = info->n_consts; id < g.next_out && status == LNT_OK; ++id) status = live_add(&g, id, id);
  if (status == LNT_OK) status = check_ops(&g);
  if (status != LNT_OK) return status;
  LNT_REQUIRE(g.next_out == info->n_tensors, info, LNT_E_UNWRITTEN, record_of(info, g.next_out),
              info->n_tensors, g.next_out);
  LNT_REQUIRE(g.next_const == info->n_consts, info, LNT_E_CONST_ORDER, record_of(info, g.next_const),
              info->n_consts, g.next_const);
  for (uint32_t i = 0; i < g.n_live; ++i) {
    const uint32_t last = last_of(info, g.live[i]);
    LNT_REQUIRE(last == LNT_LAST_END, info, LNT_E_PLAN_UNREAD, last_field(info, g.live[i]), LNT_LAST_END,
                last);
  }
  return LNT_OK;
}
