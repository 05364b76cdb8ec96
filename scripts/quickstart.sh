#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# From a bare Debian 12 to a trained network that runs without the training code: installs what is missing,
# builds the linnet command, trains mnist-mlp, evaluates it, exports it and runs it on one picture.
# MNIST is looked for in $LINNET_DATA, datasets/ and ../shared/data, then downloaded if that takes only seconds;
# else the built-in synthetic digits stand in. Results are in build/quickstart/.
set -u
. "$(dirname "$0")/common.sh"
cd "$root" || exit 1

out=build/quickstart
linnet=$out/tools/linnet

step() { part "$@" || { print_parts; fail "quickstart: $1 failed."; }; }

# The kernels bring their own -O3; all else is built faster than it would run. With -O1 g++ 12 warns of what is not there.
build() {
  cmake -S . -B $out -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS_RELEASE="-O1 -DNDEBUG -Wno-maybe-uninitialized" \
    -DLINNET_BLAS=OFF -DLINNET_BENCH=OFF -DLINNET_SAMPLES=OFF -DLINNET_TESTS=OFF -DLINNET_ISAS=native \
    -DLINNET_BULK_BUILD=ON &&
    cmake --build $out -j "$cores" --target linnet_tool
}

# Prints the folder that holds MNIST, plain or gzipped, in itself or in mnist/ below it.
find_mnist() {
  local folder images
  for folder in "${LINNET_DATA:-}" datasets ../shared/data; do
    [ -n "$folder" ] || continue
    for images in "$folder"/{,mnist/}train-images-idx3-ubyte{,.gz}; do
      [ -f "$images" ] && echo "$folder" && return
    done
  done
  return 1
}

# The synthetic digits need nothing from outside, so nothing here may fail.
choose_data() {
  data=$(find_mnist) && return
  command -v curl >/dev/null || command -v wget >/dev/null || need curl
  timeout 30 scripts/fetch_datasets.sh mnist >/dev/null 2>&1
  data=$(find_mnist) || data=synthetic
}

run_model() { "$linnet" run $out/mnist-mlp.linnet --input samples/digit_7.png; }

step "packages" need "${build_packages[@]}"
step "build" build
step "data" choose_data
if [ "$data" = synthetic ]; then
  say "MNIST is not here and could not be downloaded: training on the built-in synthetic digits instead."
else
  say "training on MNIST from $data"
fi
step "train" "$linnet" train mnist-mlp --data "$data" --out $out/mnist-mlp.ckpt
step "evaluate the checkpoint" "$linnet" eval $out/mnist-mlp.ckpt --data "$data"
step "export" "$linnet" export $out/mnist-mlp.ckpt --format linnet --out $out/mnist-mlp.linnet
step "evaluate the exported model" "$linnet" eval $out/mnist-mlp.linnet --data "$data"
step "run it on samples/digit_7.png" run_model
say "time of each part"
print_parts
