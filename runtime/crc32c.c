// SPDX-License-Identifier: Apache-2.0
#include "linnet/runtime/format.h"

/* Four bits at a time, since a microcontroller can spare 64 bytes of table but not 1024. Entry i is what four
   steps of the bitwise definition make of i. */
static const uint32_t table[16] = {
    0x00000000u, 0x105EC76Fu, 0x20BD8EDEu, 0x30E349B1u, 0x417B1DBCu, 0x5125DAD3u, 0x61C69362u, 0x7198540Du,
    0x82F63B78u, 0x92A8FC17u, 0xA24BB5A6u, 0xB21572C9u, 0xC38D26C4u, 0xD3D3E1ABu, 0xE330A81Au, 0xF36E6F75u};

uint32_t lnt_crc32c(uint32_t crc, const void* bytes, size_t len) {
  const uint8_t* p = (const uint8_t*)bytes;
  crc = ~crc;
  for (size_t i = 0; i < len; ++i) {
    crc ^= p[i];
    crc = crc >> 4 ^ table[crc & 15];
    crc = crc >> 4 ^ table[crc & 15];
  }
  return ~crc;
}
