#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds everything and runs every test, on Debian 12 as root or with sudo; installs what is missing.
#   g++, optimised:              every test
#   clang 14, ASan and UBSan:    every test but samples and what is marked as long
#   arm64 under qemu:            the suites that prove equal results (scripts/cross.sh)
# Goes on after a failing part, so that one run shows everything. Exits 0 only when all passed.
set -u
. "$(dirname "$0")/common.sh"
cd "$root" || exit 1

failed=()
attempt() { part "$@" || { failed+=("$1"); return 1; }; }

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

# build PRESET [OPTION...]
build() { cmake --preset "$@" -DLINNET_BULK_BUILD=ON && cmake --build --preset "$1" -j "$cores"; }
run_tests() {
  ctest --preset "$1" -j "$cores" | tee "$logs/$1"
  return "${PIPESTATUS[0]}"
}
cross_tests() {
  scripts/cross.sh arm64 --test | tee "$logs/arm64"
  return "${PIPESTATUS[0]}"
}

attempt "packages" need "${build_packages[@]}" libxtensor-dev libxtensor-blas-dev libxsimd-dev libopenblas-dev \
  doctest-dev libbenchmark-dev clang-14 libclang-rt-14-dev python3
attempt "g++ build" build ci && attempt "g++ tests" run_tests ci
attempt "clang sanitizer build" build dev -DLINNET_SAMPLES=OFF && attempt "clang sanitizer tests" run_tests dev
attempt "arm64 build and tests" cross_tests

say "time of each part"
print_parts
[ ${#failed[@]} = 0 ] || { printf -v list '%s; ' "${failed[@]}"; say "FAILED: ${list%; }"; }
# ctest's own closing line for each build, the complete one last.
for name in arm64 dev ci; do [ -f "$logs/$name" ] && grep -h '% tests passed' "$logs/$name"; done
[ ${#failed[@]} = 0 ]
