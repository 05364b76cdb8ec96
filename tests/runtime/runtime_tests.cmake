# SPDX-License-Identifier: Apache-2.0
# What the runtime's tests need beside linnet_test(runtime), and its fuzzer.
target_compile_definitions(test_runtime PRIVATE
  LINNET_NM="${CMAKE_NM}" LINNET_RUNTIME_ARCHIVE="$<TARGET_FILE:linnet_runtime>")
target_link_options(test_runtime PRIVATE
  LINKER:--wrap=malloc LINKER:--wrap=calloc LINKER:--wrap=realloc LINKER:--wrap=free)

# fuzz_runtime [CORPUS] [-max_total_time=600 ...]: check, bind and run on mutated files (clang only).
option(LINNET_FUZZ "Build the fuzzers (clang)" OFF)
if(LINNET_FUZZ)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/runtime/*.c)
  add_executable(fuzz_runtime ${CMAKE_CURRENT_LIST_DIR}/fuzz/fuzz_runtime.cpp
    ${CMAKE_CURRENT_LIST_DIR}/model_builder.cpp ${sources})
  set(sanitizers -fsanitize=fuzzer,address,undefined,float-cast-overflow -fno-sanitize-recover=all)
  target_compile_options(fuzz_runtime PRIVATE ${sanitizers} -g -O2)
  target_link_options(fuzz_runtime PRIVATE ${sanitizers})
  target_include_directories(fuzz_runtime PRIVATE ${LINNET_INCLUDE} ${CMAKE_SOURCE_DIR}/tests)
  target_link_libraries(fuzz_runtime PRIVATE linnet_settings)
endif()
