#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# emulate_avx512.sh: runs the AVX-512 kernels on an x86-64 processor that has none, under Bochs, which emulates a
# whole PC with a Skylake-X. A Debian kernel (downloaded, not installed) starts with our tests as its only programs.
# They prove that AVX-512 gives the bits of AVX2 and the weights written down after training, for any number of
# threads, and that its f32 is as near to f64 as it must be; nothing about speed. Takes a quarter of an hour beside
# the build, in build/avx512, where pc/output grows meanwhile.
set -u
. "$(dirname "$0")/common.sh"
cd "$root" || exit 1

[ "$(uname -m)" = x86_64 ] || fail "emulate_avx512.sh: this machine is $(uname -m), and builds no AVX-512 kernels"
if grep -q 'avx512f.*avx512dq.*avx512bw.*avx512vl' /proc/cpuinfo; then
  say "this processor has AVX-512: every test of its own build runs those kernels"
  exit 0
fi

build=build/avx512
pc=$build/pc
tests=(test_core test_autograd test_equal_weights)

# Without tools, samples, benchmarks and BLAS, and linked so that the programs need no file beside them.
build() {
  cmake --preset release -B "$build" -DCMAKE_EXE_LINKER_FLAGS=-static -DLINNET_BLAS=OFF -DLINNET_TOOLS=OFF \
    -DLINNET_BENCH=OFF -DLINNET_SAMPLES=OFF && cmake --build "$build" -j "$cores" --target "${tests[@]}"
}

get_kernel() {
  ls "$pc"/kernel/boot/vmlinuz-* >/dev/null 2>&1 && return
  local package
  package=$(apt-cache depends linux-image-cloud-amd64 | awk '$1 == "Depends:" { print $2; exit }')
  (cd "$pc" && apt-get -qq -o APT::Sandbox::User=root download "$package") &&
    dpkg -x "$pc"/linux-image-*.deb "$pc/kernel"
}

# The first program of the emulated PC. LINNET_ISA makes every test fail where AVX-512 is missing. Of core only
# what compares the bits of instruction sets, on larger shapes than the ops have: the rest is slow here, and holds
# AVX2 against f64 on every machine.
init() {
  cat <<'END'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin LINNET_ISA=avx512
mount -t proc proc /proc
mount -t devtmpfs dev /dev
grep -m 1 'model name' /proc/cpuinfo
run() { echo "$*"; "$@" --no-colors=true --duration=true || failed=yes; }
run test_autograd --test-case='the same bits*,f32 agrees*' --test-suite-exclude=long
run test_equal_weights --test-case='*steps*'
run test_core --test-case='*same bits on*,*of equal bits*,elementwise bits*,dropout keeps*' --test-case-exclude='losses*'
[ -n "$failed" ] || echo "all passed"
sleep 1  # for the serial line
poweroff -f
END
}

# A CD that the emulated BIOS starts: kernel, and the root file system in memory.
make_cd() {
  local root=$pc/root cd=$pc/cd test
  rm -rf "$root" "$cd" && mkdir -p "$root"/{bin,proc,dev} "$cd" || return
  cp /bin/busybox "$root/bin/"
  for test in "${tests[@]}"; do strip -o "$root/bin/$test" "$build/tests/$test" || return; done
  init >"$root/init" && chmod +x "$root/init"
  (cd "$root" && find . | cpio -o -H newc --quiet) >"$cd/initrd" || return
  cp "$pc"/kernel/boot/vmlinuz-* "$cd/linux" || return
  cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 "$cd" || return
  # Bochs 2.7 states a wrong size for the compact form of saved registers, and the kernel would go without AVX.
  cat >"$cd/isolinux.cfg" <<'END'
DEFAULT linux
LABEL linux
KERNEL /linux
INITRD /initrd
APPEND console=ttyS0,115200 quiet mitigations=off noxsaves clearcpuid=xsavec
END
  xorriso -as mkisofs -quiet -o "$pc/cd.iso" -b isolinux.bin -c boot.cat -no-emul-boot -boot-load-size 4 \
    -boot-info-table "$cd"
}

# The emulator is a debugger too: c starts it, q ends it when the PC has switched itself off. Its screen needs a
# terminal, which script(1) plays.
emulate() {
  cat >"$pc/bochsrc" <<END
display_library: term
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/vgabios/vgabios.bin
cpu: model=corei7_skylake_x, ips=100000000, reset_on_triple_fault=0
memory: guest=512, host=512
ata0-master: type=cdrom, path="$pc/cd.iso", status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev="$pc/output"
clock: sync=none
log: "$pc/bochs.log"
panic: action=fatal
error: action=ignore
END
  printf 'c\nq\n' >"$pc/commands"
  rm -f "$pc/output"
  TERM=vt100 script -qc "bochs-bin -q -f '$pc/bochsrc' -rc '$pc/commands'" /dev/null >/dev/null 2>&1 </dev/null
  tr -d '\r' <"$pc/output"
  # A filter that nothing fits passes too.
  grep -q '^all passed' "$pc/output" && ! grep -q 'test cases: *0' "$pc/output"
}

need "${build_packages[@]}" python3 doctest-dev bochs bochsbios bochs-term vgabios isolinux syslinux-common xorriso \
  busybox-static cpio || fail "packages are missing"
mkdir -p "$pc"
part "build" build && part "a kernel for the emulated PC" get_kernel && part "a CD for it" make_cd &&
  part "tests on the emulated processor" emulate
status=$?
print_parts
exit $status
