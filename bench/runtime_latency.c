// SPDX-License-Identifier: Apache-2.0
/* Times a .linnet file on the runtime, which is all that this program is linked with.
   Usage: runtime_latency FILE.linnet SECONDS. The sample is copied to the input before each run. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "latency.h"
#include "linnet/runtime/linnet_runtime.h"

typedef struct sample {
  lnt_model model;
  lnt_view input;
  float* values;
} sample;

static void run(void* state) {
  sample* s = (sample*)state;
  memcpy(s->input.data, s->values, s->input.bytes);
  lnt_run(&s->model);
}

static int refuse(const char* what, const char* why) {
  fprintf(stderr, "runtime_latency: %s: %s\n", what, why);
  return 1;
}

int main(int argc, char** argv) {
  if (argc != 3) return refuse("usage", "runtime_latency FILE.linnet SECONDS");
  const int descriptor = open(argv[1], O_RDONLY);
  struct stat about;
  if (descriptor < 0 || fstat(descriptor, &about) != 0) return refuse(argv[1], "cannot be read");
  const size_t length = (size_t)about.st_size;
  void* file = mmap(NULL, length, PROT_READ, MAP_PRIVATE, descriptor, 0);
  if (file == MAP_FAILED) return refuse(argv[1], "cannot be mapped");

  lnt_info info;
  static sample s;
  lnt_status status = lnt_check(file, length, NULL, &info);
  if (status != LNT_OK) return refuse(argv[1], lnt_status_text(status));
  void* arena = NULL;
  if (posix_memalign(&arena, 64, info.arena_bytes + 64) != 0) return refuse(argv[1], "no memory");
  status = lnt_bind(&s.model, &info, arena, info.arena_bytes);
  if (status == LNT_OK) status = lnt_input(&s.model, 0, &s.input);
  if (status != LNT_OK) return refuse(argv[1], lnt_status_text(status));
  s.values = (float*)malloc(s.input.bytes);
  if (s.values == NULL) return refuse(argv[1], "no memory");
  bench_fill(s.values, s.input.bytes / sizeof(float));
  bench_latency(run, &s, atof(argv[2]));
  printf("arena_bytes %zu\nfile_bytes %zu\n", info.arena_bytes, length);
  return 0;
}
