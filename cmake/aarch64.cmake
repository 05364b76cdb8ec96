# SPDX-License-Identifier: Apache-2.0
# 64-bit ARM boards (Raspberry Pi 3 to 5) with Debian's cross compiler. Programs run under qemu; the processor
# it plays is chosen by the environment variable QEMU_CPU (cortex-a53, cortex-a72, cortex-a76).
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_C_FLAGS_INIT "-march=armv8-a")  # what every 64-bit Pi has
set(CMAKE_CXX_FLAGS_INIT "-march=armv8-a")
# One file that runs on every board and under qemu, whatever libraries either has.
set(CMAKE_EXE_LINKER_FLAGS_INIT -static)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static)

# Of pkg-config's packages only the board's own.
set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig)

# Debian installs these header-only packages for the building machine alone.
foreach(package xtensor xtensor-blas xsimd cereal)
  file(GLOB found /usr/lib/*/cmake/${package})
  if(found)
    list(GET found 0 found)
    set(${package}_DIR ${found} CACHE PATH "")
  endif()
endforeach()
