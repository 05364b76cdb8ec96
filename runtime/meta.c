// SPDX-License-Identifier: Apache-2.0
/* META: its rules, and looking up a key. */
#include "linnet/runtime/runtime_impl.h"

static int is_key_byte(uint8_t c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

/* Bytes of the well-formed UTF-8 character at p, 0 if it is none (Unicode 15, table 3-7). p ends with a NUL,
   which is no continuation byte, so nothing past it is read. */
static size_t utf8_char(const uint8_t* p) {
  if (p[0] < 0x80) return 1;
  const size_t n = p[0] >= 0xC2 && p[0] <= 0xDF   ? 2
                   : (p[0] & 0xF0) == 0xE0        ? 3
                   : p[0] >= 0xF0 && p[0] <= 0xF4 ? 4
                                                  : 0;
  for (size_t i = 1; i < n; ++i) {
    if ((p[i] & 0xC0) != 0x80) return 0;
  }
  const int overlong = (p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xF0 && p[1] < 0x90);
  const int surrogate = p[0] == 0xED && p[1] > 0x9F;
  const int above = p[0] == 0xF4 && p[1] > 0x8F;
  return overlong || surrogate || above ? 0 : n;
}

/* Order of two keys, each ended by '='. */
static int compare_keys(const uint8_t* a, const uint8_t* b) {
  while (*a == *b && *a != '=') ++a, ++b;
  const int ca = *a == '=' ? 0 : *a, cb = *b == '=' ? 0 : *b;
  return ca - cb;
}

lnt_status lnt_check_meta(lnt_info* info) {
  const uint8_t* p = info->meta.at;
  const uint8_t* end = p + info->meta.len;
  const uint8_t* last = NULL;
  if (p == end) return LNT_OK;
  LNT_REQUIRE(end[-1] == 0, info, LNT_E_META, end - 1, 0, end[-1]);
  while (p < end) {
    const uint8_t* key = p;
    while (is_key_byte(*p)) ++p;
    LNT_REQUIRE(*p == '=' && p > key, info, LNT_E_META, p, '=', *p);
    LNT_REQUIRE(last == NULL || compare_keys(last, key) < 0, info, LNT_E_META, key, *last, *key);
    last = key;
    while (*p != 0) {
      const size_t n = utf8_char(p);
      LNT_REQUIRE(n != 0, info, LNT_E_META, p, '?', *p);
      p += n;
    }
    ++p;
  }
  return LNT_OK;
}

const char* lnt_meta(const lnt_info* info, const char* key) {
  if (info == NULL || info->file.at == NULL || key == NULL) return NULL;
  const char* p = (const char*)info->meta.at;
  const char* end = p + info->meta.len;
  for (; p < end; ++p) {
    const char* k = key;
    while (*k != 0 && *k != '=' && *k == *p) ++k, ++p;
    if (*k == 0 && *p == '=') return p + 1;
    while (*p != 0) ++p;
  }
  return NULL;
}
