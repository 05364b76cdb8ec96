// SPDX-License-Identifier: Apache-2.0
/* Times an .onnx file on ONNX Runtime, one thread, all its graph optimisations on, input and output tensors
   made once. Usage: onnxruntime_latency LIBONNXRUNTIME.so FILE.onnx SECONDS 1x784 1x10 (shapes of input x,
   output y).

   The npm package has the library without its header. Its interface is a table of functions that only grows
   at the end (onnxruntime_c_api.h: OrtApiBase, OrtApi), so the few that are called here are named by their
   place. */
#include <dlfcn.h>
#include <stdint.h>

#include "latency.h"

typedef void object; /* of whatever kind */

enum {
  AT_GET_ERROR_MESSAGE = 2,
  AT_CREATE_ENV = 3,
  AT_CREATE_SESSION = 7,
  AT_RUN = 9,
  AT_CREATE_SESSION_OPTIONS = 10,
  AT_SET_OPTIMIZATION_LEVEL = 23,
  AT_SET_INTRA_OP_THREADS = 24,
  AT_SET_INTER_OP_THREADS = 25,
  AT_CREATE_TENSOR_WITH_DATA = 49,
  AT_CREATE_CPU_MEMORY_INFO = 69
};
enum { API_VERSION = 13, LOG_ERRORS = 3, OPTIMIZE_ALL = 99, FLOAT = 1, ARENA = 1, DEFAULT_MEMORY = 0 };

typedef struct base {
  const void* const* (*get_api)(uint32_t version);
  const char* (*version)(void);
} base;

static const void* const* api;

static void check(object* error) {
  if (error == NULL) return;
  const char* (*text)(const object*);
  memcpy(&text, &api[AT_GET_ERROR_MESSAGE], sizeof text);
  fprintf(stderr, "onnxruntime_latency: %s\n", text(error));
  exit(1);
}

/* A function of the table, as the type that it has. */
#define CALL(place, arguments_type, ...)         \
  do {                                           \
    object*(*called)arguments_type;              \
    memcpy(&called, &api[place], sizeof called); \
    check(called(__VA_ARGS__));                  \
  } while (0)

typedef struct network {
  object *session, *input, *output;
  object* (*run)(object*, const object*, const char* const*, const object* const*, size_t, const char* const*,
                 size_t, object**);
} network;

static void run(void* state) {
  static const char* const x = "x";
  static const char* const y = "y";
  network* n = (network*)state;
  const object* inputs = n->input;
  check(n->run(n->session, NULL, &x, &inputs, 1, &y, 1, &n->output));
}

static object* tensor(object* memory, const char* text) {
  int64_t shape[8], size = 1;
  size_t rank = 0;
  for (char* end = (char*)(uintptr_t)text; rank < 8; text = end + 1) {
    shape[rank] = strtoll(text, &end, 10);
    size *= shape[rank++];
    if (*end != 'x') break;
  }
  float* values = (float*)calloc((size_t)size, sizeof(float));
  bench_fill(values, (size_t)size);
  object* made = NULL;
  CALL(AT_CREATE_TENSOR_WITH_DATA, (const object*, void*, size_t, const int64_t*, size_t, int, object**),
       memory, values, (size_t)size * sizeof(float), shape, rank, FLOAT, &made);
  return made;
}

int main(int argc, char** argv) {
  if (argc != 6) {
    fprintf(stderr, "usage: onnxruntime_latency LIBONNXRUNTIME.so FILE.onnx SECONDS 1x784 1x10\n");
    return 2;
  }
  void* library = dlopen(argv[1], RTLD_NOW);
  const base* (*get_base)(void) = NULL;
  void* symbol = library ? dlsym(library, "OrtGetApiBase") : NULL;
  memcpy(&get_base, &symbol, sizeof get_base);
  if (get_base == NULL || (api = get_base()->get_api(API_VERSION)) == NULL) {
    fprintf(stderr, "onnxruntime_latency: %s is no ONNX Runtime: %s\n", argv[1], dlerror());
    return 1;
  }
  object *env = NULL, *options = NULL, *memory = NULL;
  static network n;
  CALL(AT_CREATE_ENV, (int, const char*, object**), LOG_ERRORS, "bench", &env);
  CALL(AT_CREATE_SESSION_OPTIONS, (object**), &options);
  CALL(AT_SET_OPTIMIZATION_LEVEL, (object*, int), options, OPTIMIZE_ALL);
  CALL(AT_SET_INTRA_OP_THREADS, (object*, int), options, 1);
  CALL(AT_SET_INTER_OP_THREADS, (object*, int), options, 1);
  CALL(AT_CREATE_SESSION, (const object*, const char*, const object*, object**), env, argv[2], options,
       &n.session);
  CALL(AT_CREATE_CPU_MEMORY_INFO, (int, int, object**), ARENA, DEFAULT_MEMORY, &memory);
  n.input = tensor(memory, argv[4]);
  n.output = tensor(memory, argv[5]);
  memcpy(&n.run, &api[AT_RUN], sizeof n.run);
  bench_latency(run, &n, atof(argv[3]));
  return 0;
}
