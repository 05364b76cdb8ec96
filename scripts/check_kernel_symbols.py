#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Refuses kernel objects that could leak code of one instruction set into the whole program.

A weak symbol (an inline function, a template, a vtable) is kept once, from any object that has it. Coming from an
object compiled for AVX-512 it would crash other machines, so every weak symbol of a kernel object must carry
the namespace of its set. The reference to the exception personality, DW.ref.*, holds no code.

  check_kernel_symbols.py --isa avx2 [--nm nm] OBJECT...
  check_kernel_symbols.py --self-test COMPILER [--nm nm]
"""
import argparse
import os
import subprocess
import sys
import tempfile

WEAK = set("WwVvu")


def leaks(nm, objects, isa):
    """(object, symbol) for every weak definition without the namespace of the set."""
    found = []
    for path in objects:
        listing = subprocess.run([nm, "-C", "--defined-only", path], check=True, capture_output=True, text=True)
        for line in listing.stdout.splitlines():
            _, kind, name = line.split(" ", 2)
            if kind in WEAK and f"linnet::kernels::{isa}::" not in name and not name.startswith("DW.ref."):
                found.append((os.path.basename(path), name))
    return found


def self_test(compiler, nm):
    """A clean object passes; one that uses an inline function of nobody's namespace is refused by name."""
    inner = "namespace linnet::kernels::avx2 { inline int tagged(int x) { return x + 1; } }\n"
    outer = "inline int untagged(int x) { return x * 3; }\n"
    take = "int (*volatile {0})(int) = {1};\n"
    clean = inner + take.format("a", "linnet::kernels::avx2::tagged")
    leaky = clean + outer + take.format("b", "untagged")
    with tempfile.TemporaryDirectory() as folder:
        for name, source, expected in (("clean", clean, []), ("leaky", leaky, ["untagged(int)"])):
            path = os.path.join(folder, name)
            with open(path + ".cpp", "w") as file:
                file.write(source)
            subprocess.run([compiler, "-std=c++20", "-O2", "-c", path + ".cpp", "-o", path + ".o"], check=True)
            names = [symbol for _, symbol in leaks(nm, [path + ".o"], "avx2")]
            if names != expected:
                sys.exit(f"check_kernel_symbols: self-test '{name}': expected {expected}, got {names}.")
    print("check_kernel_symbols: self-test passed")


def main():
    parser = argparse.ArgumentParser(description="Refuse weak symbols of kernel objects without their set's namespace.")
    parser.add_argument("--isa")
    parser.add_argument("--nm", default="nm")
    parser.add_argument("--self-test", metavar="COMPILER")
    parser.add_argument("objects", nargs="*")
    arguments = parser.parse_args()
    if arguments.self_test:
        return self_test(arguments.self_test, arguments.nm)
    if not arguments.isa or not arguments.objects:
        parser.error("needs --isa and at least one object")
    found = leaks(arguments.nm, arguments.objects, arguments.isa)
    for path, symbol in found:
        print(f"check_kernel_symbols: weak symbol without namespace {arguments.isa}: {symbol} in {path}. "
              "Move it into the set's namespace, or do not include its header.")
    if not found:
        print(f"check_kernel_symbols: {len(arguments.objects)} objects of {arguments.isa} are clean")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
