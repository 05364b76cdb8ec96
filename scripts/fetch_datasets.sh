#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Downloads data sets to datasets/, which git ignores. Usage: scripts/fetch_datasets.sh [mnist]
# What is there and right is not downloaded again; every file is checked against its known SHA-256 before it gets
# its name. LINNET_MNIST_URL names another place to try first. Exits 1 when something is missing in the end.
set -u
cd "$(dirname "$0")/.." || exit 1

mnist_urls="${LINNET_MNIST_URL:-} https://ossci-datasets.s3.amazonaws.com/mnist
            https://storage.googleapis.com/cvdf-datasets/mnist"
# Made by Y. LeCun, C. Cortes and C. Burges.
mnist_files="
440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609 train-images-idx3-ubyte.gz
3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c train-labels-idx1-ubyte.gz
8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6 t10k-images-idx3-ubyte.gz
f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6 t10k-labels-idx1-ubyte.gz"

say() { echo "fetch_datasets: $*"; }

# download URL FILE
download() {
  if command -v curl >/dev/null; then
    curl --fail --silent --show-error --location --connect-timeout 5 --max-time 300 --output "$2" "$1"
  elif command -v wget >/dev/null; then
    wget --quiet --tries=1 --connect-timeout=5 --read-timeout=30 --output-document="$2" "$1"
  else
    say "neither curl nor wget is installed." >&2
    return 1
  fi
}

# is_right FILE SHA256
is_right() { [ -f "$1" ] && echo "$2  $1" | sha256sum --check --status; }

# fetch_file FOLDER NAME SHA256 URL...
fetch_file() {
  local folder=$1 name=$2 sum=$3 url part
  shift 3
  is_right "$folder/$name" "$sum" && return
  part="$folder/.$name.$$"
  for url in "$@"; do
    if download "$url/$name" "$part" && is_right "$part" "$sum"; then
      mv "$part" "$folder/$name"
      say "$folder/$name from $url"
      return
    fi
    rm -f "$part"
  done
  say "could not get $name." >&2
  return 1
}

fetch_mnist() {
  mkdir -p datasets/mnist || return
  local sum name
  while read -r sum name; do
    # shellcheck disable=SC2086  # a list of places
    [ -z "$sum" ] || fetch_file datasets/mnist "$name" "$sum" $mnist_urls || return
  done <<<"$mnist_files"
  say "MNIST is in datasets/mnist."
}

for name in "${@:-mnist}"; do
  case $name in
    mnist) fetch_mnist || exit 1 ;;
    *)
      say "unknown data set '$name'. Known: mnist." >&2
      exit 2
      ;;
  esac
done
