# SPDX-License-Identifier: Apache-2.0
# Compiler settings shared by every target, and the two helpers that all folders use.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 99)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)  # the fast path is the default
endif()

include(GNUInstallDirs)

option(LINNET_LONG_TESTS "Run the test suites named \"long\" too" ON)
option(LINNET_BULK_BUILD "Precompile headers and join sources: for one build from nothing, ccache keeps none of it" OFF)
option(LINNET_POISON "Fill freed tensor memory with NaNs, to find readers of dead tensors" OFF)

find_program(LINNET_CCACHE ccache)
if(LINNET_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${LINNET_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${LINNET_CCACHE})
endif()

add_library(linnet_settings INTERFACE)
target_compile_options(linnet_settings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
  $<$<BOOL:${LINNET_WERROR}>:-Werror>
  # These keep IEEE results; contraction would make the bits depend on the compiler.
  -fno-math-errno -fno-trapping-math -ffp-contract=off)
target_compile_definitions(linnet_settings INTERFACE $<$<BOOL:${LINNET_POISON}>:LINNET_POISON>)
# g++ 12 sees overlapping copies in `"text" + std::string` (GCC bug 105651).
target_compile_options(linnet_settings INTERFACE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-restrict>)

# For kernels. Checks of every single load, which the address sanitizer makes too: without them clang takes a third of
# the time.
set(LINNET_LOOSE_SANITIZERS "")
if(CMAKE_CXX_FLAGS MATCHES "sanitize=[a-z,]*undefined")
  set(LINNET_LOOSE_SANITIZERS -fno-sanitize=null,alignment,object-size,pointer-overflow)
endif()

# <build>/include/linnet has one link a folder, so "linnet/core/tensor.h" is the one spelling everywhere.
set(LINNET_INCLUDE ${CMAKE_BINARY_DIR}/include)
file(MAKE_DIRECTORY ${LINNET_INCLUDE}/linnet)
foreach(folder ${LINNET_FOLDERS} linnet.h)
  if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${folder} AND NOT EXISTS ${LINNET_INCLUDE}/linnet/${folder})
    file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR}/${folder} ${LINNET_INCLUDE}/linnet/${folder} SYMBOLIC)
  endif()
endforeach()

# Most of the time that most of our sources take is reading headers, and translating again what they define.
if(LINNET_BULK_BUILD)
  set(CMAKE_UNITY_BUILD ON)
endif()
if(LINNET_BULK_BUILD AND NOT LINNET_RUNTIME_ONLY)
  file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/empty.cpp CONTENT "")
  add_library(linnet_headers OBJECT ${CMAKE_BINARY_DIR}/empty.cpp)
  target_link_libraries(linnet_headers PRIVATE linnet_settings)
  target_compile_features(linnet_headers PRIVATE cxx_std_20)
  target_include_directories(linnet_headers PRIVATE ${LINNET_INCLUDE})
  set_target_properties(linnet_headers PROPERTIES CXX_COMPILER_LAUNCHER "")
  target_precompile_headers(linnet_headers PRIVATE <algorithm> <cmath> <functional> <limits> <map> <memory> <optional>
    <span> <string> <vector> <linnet/core/error.h> <linnet/core/state.h> <linnet/core/tensor.h>)
endif()

# linnet_library(io HEADERS checkpoint.h ... LINKS core ... PRIVATE_LINKS ZLIB::ZLIB ... BUILD_LINKS cereal::cereal ...)
#   One static library of all sources in the folder (and the sub-folders named in SUBFOLDERS).
#   HEADERS are public: they are the ones that get installed.
#   LINKS are ours; a folder that needs one which is not part of this build is left out too. PRIVATE_LINKS are
#   found in linnet_dependencies.cmake, BUILD_LINKS are headers only.
function(linnet_library name)
  cmake_parse_arguments(arg "" "" "HEADERS;LINKS;PRIVATE_LINKS;BUILD_LINKS;SUBFOLDERS" ${ARGN})
  foreach(link ${arg_LINKS})
    if(NOT TARGET linnet_${link})
      message(STATUS "linnet: building without ${name}, which needs ${link}")
      return()
    endif()
  endforeach()
  set(patterns ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  foreach(sub ${arg_SUBFOLDERS})
    list(APPEND patterns ${CMAKE_CURRENT_SOURCE_DIR}/${sub}/*.cpp)
  endforeach()
  file(GLOB sources CONFIGURE_DEPENDS ${patterns})
  list(FILTER sources EXCLUDE REGEX "_isa\\.cpp$")  # compiled once per instruction set, see core/
  add_library(linnet_${name} STATIC ${sources})
  add_library(linnet::${name} ALIAS linnet_${name})
  set_target_properties(linnet_${name} PROPERTIES EXPORT_NAME ${name})
  target_compile_features(linnet_${name} PUBLIC cxx_std_20)
  target_include_directories(linnet_${name} PUBLIC $<BUILD_INTERFACE:${LINNET_INCLUDE}>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(linnet_${name} PRIVATE $<BUILD_INTERFACE:linnet_settings> ${arg_PRIVATE_LINKS})
  if(TARGET linnet_headers)
    target_precompile_headers(linnet_${name} REUSE_FROM linnet_headers)
    # g++ 12 forgets which of them are the system's, and warns of what is inlined from those.
    target_compile_options(linnet_${name} PRIVATE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-array-bounds
      -Wno-stringop-overflow -Wno-stringop-overread -Wno-maybe-uninitialized>)
    set_target_properties(linnet_${name} PROPERTIES CXX_COMPILER_LAUNCHER "")
  endif()
  foreach(link ${arg_BUILD_LINKS})
    target_link_libraries(linnet_${name} PRIVATE $<BUILD_INTERFACE:${link}>)
  endforeach()
  foreach(link ${arg_LINKS})
    target_link_libraries(linnet_${name} PUBLIC linnet_${link})
  endforeach()
  set(headers ${arg_HEADERS})
  list(TRANSFORM headers PREPEND ${LINNET_INCLUDE}/linnet/${name}/)
  target_sources(linnet_${name} PUBLIC FILE_SET HEADERS BASE_DIRS ${LINNET_INCLUDE} FILES ${headers})
endfunction()

# linnet_test(train LINKS io graph ...): one doctest executable test_train of all tests/train/*.cpp, when the
# library linnet_train is part of this build. LINKS are libraries of ours; those not built are left out.
# A folder that mirrors no library of ours says OF which one it is. Cases in doctest's TEST_SUITE("long") are
# run only where there is time for them.
function(linnet_test name)
  cmake_parse_arguments(arg "" "OF" "LINKS" ${ARGN})
  if(NOT arg_OF)
    set(arg_OF ${name})
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp)
  if(NOT sources OR NOT TARGET linnet_${arg_OF})
    return()
  endif()
  add_executable(test_${name} ${sources})
  target_link_libraries(test_${name} PRIVATE linnet_settings linnet_test_support)
  # Tests call, the library computes: optimising thousands of checks would take longer than running them.
  target_compile_options(test_${name} PRIVATE -O0)
  if(TARGET linnet_test_headers)
    target_precompile_headers(test_${name} REUSE_FROM linnet_test_headers)
    set_target_properties(test_${name} PROPERTIES CXX_COMPILER_LAUNCHER "")
  endif()
  foreach(link ${arg_OF} ${arg_LINKS})
    if(TARGET linnet_${link})
      target_link_libraries(test_${name} PRIVATE linnet_${link})
    endif()
  endforeach()
  target_compile_definitions(test_${name} PRIVATE LINNET_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  set(left_out "$<$<NOT:$<BOOL:${LINNET_LONG_TESTS}>>:--test-suite-exclude=long>")
  if(CMAKE_CROSSCOMPILING)  # plain loops that are the same everywhere, and much of them for an emulator
    string(JOIN "," slow "gradients equal central differences*" "random memory plans*")
    list(APPEND left_out "--test-case-exclude=${slow}")
  endif()
  add_test(NAME ${name} COMMAND test_${name} ${left_out}
    WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR} COMMAND_EXPAND_LISTS)
  # Begun before the short ones, or the last of them would run alone.
  if(name MATCHES "^(autograd|core|deploy)$")
    set_tests_properties(${name} PROPERTIES COST 100)
  elseif(name STREQUAL "tools")
    set_tests_properties(${name} PROPERTIES COST 300)
  endif()
  set_tests_properties(${name} PROPERTIES ENVIRONMENT
    "OPENBLAS_NUM_THREADS=1;ASAN_OPTIONS=allocator_may_return_null=1;TSAN_OPTIONS=allocator_may_return_null=1")
endfunction()
