/* SPDX-License-Identifier: Apache-2.0
   Checks a model file and prints what the inference library says about it, as a board would before it runs
   one. Without an argument it offers the library eight bytes that are no model, and expects them refused. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "linnet/runtime/linnet_runtime.h"

#define ALIGNED __attribute__((aligned(LNT_FILE_ALIGN)))

static lnt_status check(const uint8_t* file, size_t len) {
  char text[200];
  lnt_info info;
  lnt_status status = lnt_check(file, len, NULL, &info);
  if (status == LNT_OK) {
    printf("%u ops, %lu bytes of arena\n", (unsigned)info.n_ops, (unsigned long)info.arena_bytes);
  } else {
    lnt_problem_text(&info.problem, text, sizeof text);
    printf("%s\n", text);
  }
  return status;
}

static lnt_status check_file(const char* path) {
  static ALIGNED uint8_t buffer[1 << 20];
  size_t len;
  FILE* file = fopen(path, "rb");
  if (file == NULL) {
    perror(path);
    exit(2);
  }
  len = fread(buffer, 1, sizeof buffer, file);
  fclose(file);
  return check(buffer, len);
}

int main(int argc, char** argv) {
  static const ALIGNED uint8_t no_model[8] = {0};
  if (argc > 1) return check_file(argv[1]) == LNT_OK ? 0 : 1;
  return check(no_model, sizeof no_model) == LNT_OK ? 1 : 0;
}
