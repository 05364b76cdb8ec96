#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cross.sh arm64 [--test]: builds for 64-bit ARM boards with Debian's cross compiler, into build/arm64.
# --test builds only the suites that prove equal results on the board and runs them under qemu: core, autograd and
# the inference runtime with its verifier on a Cortex-A72, equal weights after training on a Cortex-A53, A72 and A76.
# qemu says nothing about speed.
set -u
. "$(dirname "$0")/common.sh"
cd "$root" || exit 1

usage() { echo "usage: scripts/cross.sh arm64 [--test]" >&2; exit 2; }
[ "${1:-}" = arm64 ] || usage
[ $# = 1 ] || { [ $# = 2 ] && [ "$2" = --test ]; } || usage
testing=${2:-}

if [ "$(uname -m)" = aarch64 ]; then
  say "this machine is arm64 itself: its own build is the test"
  exit 0
fi

suites='core|autograd|runtime|runtime_size|kernel_symbols_neon|equal_weights_.*'
targets=(test_core test_autograd test_runtime test_equal_weights)

# The board's libsodium comes from another architecture's index, which not every mirror has, and its version
# must equal ours. Without it io and what stands on it are left out; no suite of --test needs them.
board_libraries() {
  installed libsodium-dev:arm64 && return
  dpkg --print-foreign-architectures | grep -qx arm64 || as_root dpkg --add-architecture arm64
  need libsodium-dev:arm64 && return
  say "no libsodium for arm64 here: built without checkpoints"
}

build() {
  cmake --preset arm64 -DLINNET_BULK_BUILD=${testing:+ON} || return
  [ -n "$testing" ] || { cmake --build --preset arm64 -j "$cores"; return; }
  cmake --build --preset arm64 -j "$cores" --target "${targets[@]}"
}

need "${build_packages[@]}" python3 doctest-dev g++-aarch64-linux-gnu qemu-user-static || fail "packages are missing"
[ -n "$testing" ] || board_libraries
build || fail "the arm64 build failed"
[ -z "$testing" ] || QEMU_CPU=cortex-a72 ctest --preset arm64 -j "$cores" -R "^($suites)\$"
