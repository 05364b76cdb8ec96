# SPDX-License-Identifier: Apache-2.0
# What the libraries are linked with. It is all found here, at the top, because an imported target is seen only
# in the folder that found it and below, and a static library hands its dependencies to everybody above.
# linnet-config.cmake.in repeats the ones that an installed Linnet needs. (BLAS, by path, is core's own affair.)

if(CMAKE_EXE_LINKER_FLAGS MATCHES "-static( |$)")
  set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
endif()

find_package(Threads REQUIRED)
find_package(ZLIB)  # optional: without it .gz files are refused with one message
find_package(PkgConfig REQUIRED)

# Headers only: nothing of them is needed once Linnet is installed.
find_package(cereal REQUIRED)
find_package(xtensor QUIET)  # optional: for core/xtensor.h and the sample that shows it

# SHA-256. The cross builds do without it where the board's copy cannot be installed beside ours, and then
# leave out io and what stands on it.
if(CMAKE_CROSSCOMPILING)
  pkg_check_modules(SODIUM IMPORTED_TARGET libsodium)
else()
  pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
endif()
