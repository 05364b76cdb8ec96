#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Before a commit: format, layers and the tests of the release build, one line a stage. --no-tests leaves out
# the last. The output of a stage is shown only when it fails.
set -u
. "$(dirname "$0")/common.sh"
cd "$root" || exit 1

failures=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

stage() {
  local name=$1 start=$SECONDS
  shift
  if "$@" >"$log" 2>&1; then
    printf '%-12s ok      %4d s  %s\n' "$name" $((SECONDS - start)) "$(tail -n 1 "$log")"
  else
    printf '%-12s FAILED  %4d s\n' "$name" $((SECONDS - start))
    cat "$log"
    failures=$((failures + 1))
  fi
}

format() {
  command -v clang-format-14 >/dev/null || { echo "skipped: clang-format-14 is not installed"; return; }
  git ls-files -z -- '*.h' '*.hpp' '*.c' '*.cpp' '*.inl' | xargs -0 clang-format-14 --dry-run --Werror &&
    echo "every file as clang-format writes it"
}
build() { cmake --preset release && cmake --build --preset release -j "$cores"; }
tests() { ctest --preset release -j "$cores" && grep '% tests passed' "$log"; }

stage format format
stage layers scripts/check_layers.py
stage rules scripts/check_layers.py --self-test
if [ "${1:-}" != --no-tests ]; then
  stage build build
  stage tests tests
fi
[ $failures = 0 ]
