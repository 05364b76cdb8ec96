# SPDX-License-Identifier: Apache-2.0
# Shared by the scripts beside it; sourced, not run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cores=$(nproc)
# What building the library and the command takes; the tests add theirs.
build_packages=(g++ cmake ninja-build pkg-config zlib1g-dev libcereal-dev libsodium-dev libcli11-dev
  nlohmann-json3-dev libpng-dev)
export CCACHE_DEPEND=1  # a file that ccache does not know is not preprocessed first
part_names=()
part_seconds=()

say() { printf '== %s\n' "$*"; }
fail() { printf '%s\n' "$*" >&2; exit 1; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Of this machine's architecture unless the name says another, for dpkg-query answers with a line for each.
installed() {
  local architectures="all|$(dpkg --print-architecture)"
  [[ $1 == *:* ]] && architectures=${1##*:}
  dpkg-query -W -f='${Architecture} ${db:Status-Status}\n' "$1" 2>/dev/null | grep -qxE "($architectures) installed"
}

# need PACKAGE...: installs what is missing, and asks nothing of apt or the network when nothing is.
need() {
  local package missing=()
  command -v apt-get >/dev/null || { say "no apt-get here: these Debian packages or their like are needed: $*"; return; }
  for package in "$@"; do installed "$package" || missing+=("$package"); done
  [ ${#missing[@]} = 0 ] && return
  say "installing ${missing[*]}"
  [ "$(id -u)" = 0 ] || command -v sudo >/dev/null || fail "Not root and no sudo. Install these first: ${missing[*]}"
  # One unreachable index (another architecture's, a third party's) need not stop the others.
  as_root apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 update || say "apt-get update was not complete"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 \
    -o Dpkg::Use-Pty=0 install --no-install-recommends "${missing[@]}" >/dev/null
}

# part NAME COMMAND...: runs the command, notes how long it took and passes its status on. Commands are chained
# with &&: `set -e` means nothing to a command whose status is looked at.
part() {
  local name=$1 start=$SECONDS status=0
  shift
  say "$name"
  "$@" || status=$?
  part_names+=("$name")
  part_seconds+=($((SECONDS - start)))
  return $status
}

print_parts() {
  local i
  for i in "${!part_names[@]}"; do printf '%5d s  %s\n' "${part_seconds[$i]}" "${part_names[$i]}"; done
  printf '%5d s  in all\n' "$SECONDS"
}
