// SPDX-License-Identifier: Apache-2.0
/* Texts of statuses and problems; nothing else in the runtime refers to them, so a board that prints none
 * links none. */
#include "linnet/runtime/linnet_runtime.h"

const char* lnt_status_text(lnt_status status) {
  static const char* const texts[] = {
#define LNT_STATUS_STRING(name, text) text,
      LNT_STATUSES(LNT_STATUS_STRING)
#undef LNT_STATUS_STRING
  };
  return (unsigned)status < LNT_N_STATUSES ? texts[status]
                                           : "unknown status. Use one that this runtime returned.";
}

typedef struct writer {
  char* text;
  size_t capacity, len;
} writer;

static void put_char(writer* w, char c) {
  if (w->len + 1 < w->capacity) w->text[w->len] = c;
  ++w->len;
}

static void put(writer* w, const char* text) {
  while (*text != 0) put_char(w, *text++);
}

static void put_number(writer* w, uint64_t n) {
  char digits[20];
  size_t count = 0;
  do digits[count++] = (char)('0' + n % 10);
  while ((n /= 10) != 0);
  while (count != 0) put_char(w, digits[--count]);
}

static const char* section_name(uint32_t type) {
  switch (type) {
    case LNT_SECTION_TENS:
      return "TENS";
    case LNT_SECTION_OPS:
      return "OPS";
    case LNT_SECTION_QUANT:
      return "QUANT";
    case LNT_SECTION_PLAN:
      return "PLAN";
    case LNT_SECTION_DATA:
      return "DATA";
    case LNT_SECTION_META:
      return "META";
    case LNT_SECTION_GOLD:
      return "GOLD";
    default:
      return "header";
  }
}

size_t lnt_problem_text(const lnt_problem* problem, char* text, size_t capacity) {
  writer w = {text, capacity, 0};
  const char* wrong =
      problem != NULL ? lnt_status_text(problem->status) : lnt_status_text(LNT_E_BAD_ARGUMENT);
  put(&w, "lnt_check: ");
  while (!(wrong[0] == '.' && wrong[1] == ' ')) put_char(&w, *wrong++);
  if (problem != NULL) {
    put(&w, ": ");
    put(&w, section_name(problem->section));
    put(&w, ", byte ");
    put_number(&w, problem->offset);
    put(&w, ": expected ");
    put_number(&w, problem->expected);
    put(&w, ", got ");
    put_number(&w, problem->actual);
  }
  put(&w, wrong);
  if (capacity != 0) text[w.len < capacity ? w.len : capacity - 1] = 0;
  return w.len;
}
