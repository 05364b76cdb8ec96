# SPDX-License-Identifier: Apache-2.0
# What the runtime's tests need beside linnet_test(runtime), and its fuzzer.
target_compile_definitions(test_runtime PRIVATE
  LINNET_NM="${CMAKE_NM}" LINNET_RUNTIME_ARCHIVE="$<TARGET_FILE:linnet_runtime>")
target_link_options(test_runtime PRIVATE
  LINKER:--wrap=malloc LINKER:--wrap=calloc LINKER:--wrap=realloc LINKER:--wrap=free)

# fuzz_runtime tests/fuzz/corpus/runtime [-max_total_time=600 ...]: check, bind and run on mutated files (clang only).
option(LINNET_FUZZ "Build the fuzzers (clang)" OFF)
if(LINNET_FUZZ)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/runtime/*.c)
  set(models model_builder model_packing small_models malformed_ops malformed_int8 malformed_packed int8_models)
  list(TRANSFORM models REPLACE "(.+)" "${CMAKE_CURRENT_LIST_DIR}/\\1.cpp")
  add_executable(fuzz_runtime ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_runtime.cpp ${models} ${sources})
  set(sanitizers -fsanitize=fuzzer,address,undefined,float-cast-overflow -fno-sanitize-recover=all)
  # -O1: more takes minutes longer to compile and saves little.
  target_compile_options(fuzz_runtime PRIVATE ${sanitizers} -gline-tables-only -O1)
  # Coverage is that of the verifier and the kernels: counted in checksums it takes two thirds of the time.
  set_source_files_properties(${CMAKE_SOURCE_DIR}/runtime/crc32c.c ${CMAKE_SOURCE_DIR}/runtime/status.c
    ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_runtime.cpp ${models} PROPERTIES COMPILE_OPTIONS -fno-sanitize=fuzzer)
  target_link_options(fuzz_runtime PRIVATE ${sanitizers})
  target_include_directories(fuzz_runtime PRIVATE ${LINNET_INCLUDE} ${CMAKE_SOURCE_DIR}/tests)
  target_link_libraries(fuzz_runtime PRIVATE linnet_settings)
  foreach(isa avx2 avx512 neon)
    if(TARGET linnet_runtime_${isa})  # the kernels of each set are watched, too
      target_compile_definitions(fuzz_runtime PRIVATE $<TARGET_PROPERTY:linnet_runtime,COMPILE_DEFINITIONS>)
      target_compile_options(linnet_runtime_${isa} PRIVATE
        -fsanitize=address,undefined,float-cast-overflow -fno-sanitize-recover=all -gline-tables-only -O1)
      target_sources(fuzz_runtime PRIVATE $<TARGET_OBJECTS:linnet_runtime_${isa}>)
    endif()
  endforeach()
endif()

# A runtime with the ops of one model has no kernel of others, and says so at the check.
add_test(NAME runtime_selected COMMAND ${CMAKE_COMMAND} -DSOURCE=${CMAKE_SOURCE_DIR}
  -DGENERATOR=${CMAKE_GENERATOR} -DC_COMPILER=${CMAKE_C_COMPILER} -DTOOLCHAIN=${CMAKE_TOOLCHAIN_FILE} -DNM=${CMAKE_NM}
  -DWORK=${CMAKE_CURRENT_BINARY_DIR}/runtime_selected -P ${CMAKE_CURRENT_LIST_DIR}/selected_test.cmake)

# All of the runtime as a shared library, stripped, is at most 300 KB.
if(NOT CMAKE_C_FLAGS MATCHES "sanitize" AND CMAKE_BUILD_TYPE STREQUAL "Release")
  add_test(NAME runtime_size COMMAND ${CMAKE_COMMAND} -DARCHIVE=$<TARGET_FILE:linnet_runtime>
    -DC_COMPILER=${CMAKE_C_COMPILER} -DOUT=${CMAKE_CURRENT_BINARY_DIR}/liblinnet_runtime_size.so
    -P ${CMAKE_CURRENT_LIST_DIR}/size_test.cmake)
endif()
