#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads every #include of the tree against the picture in docs/architecture.md: an include goes down, never up.

usage: check_layers.py [--root DIR] [--self-test]

Prints one line per offending include and exits 1 when there is any. --self-test plants one offence of every
kind in a copy of a small tree and fails unless each is found.
"""
import argparse
import re
import sys
import tempfile
from pathlib import Path

# What each folder may include of ours, beside itself. This is the picture.
TRAINING = {"core", "autograd", "nn", "optim", "data", "io", "graph", "train"}
BELOW = {
    "runtime": set(),
    "core": set(),
    "autograd": {"core"},
    "data": {"core"},
    "io": {"core"},
    "nn": {"core", "autograd"},
    "optim": {"core", "autograd"},
    "graph": {"core", "autograd", "nn", "optim"},
    "train": TRAINING - {"train"},
    "deploy": TRAINING | {"runtime/format.h", "runtime/ops.def", "runtime/reference.h", "runtime/linnet_runtime.h", "runtime/linnet_runtime.hpp"},
    # The integer engine that compress judges a model by is the exported model, run by the runtime.
    "compress": TRAINING | {"deploy", "runtime/reference.h", "runtime/linnet_runtime.h", "runtime/linnet_runtime.hpp"},
}
EVERYTHING = set(BELOW) | {"linnet.h"}
ABOVE = ("tools", "samples", "bench", "tests")  # use everything; nobody includes them

# Heavy libraries by their first path component, and where in the library folders they may be included.
HEAVY = {
    "xtensor": {"xtensor", "xtensor-blas", "xtl", "xflens", "xsimd"},
    "cereal": {"cereal"},
    "BLAS": {"cblas.h", "cblas-openblas.h", "lapacke.h", "openblas_config.h"},
    "zlib": {"zlib.h"},
    "libsodium": {"sodium.h", "sodium"},
}
HEADER_EXCEPTIONS = {"core/xtensor.h": "xtensor"}  # public and optional: the meeting point with users' xtensor
MAX_XTENSOR_SOURCES = 5

# The inference library knows the language and memcpy's family, nothing else.
RUNTIME_SYSTEM = {"float.h", "limits.h", "stdbool.h", "stddef.h", "stdint.h", "string.h"}
RUNTIME_INTRINSICS = {"runtime/vec.h": {"arm_neon.h", "immintrin.h"}, "runtime/isa.c": {"cpuid.h"}}
# Files compiled above the baseline instruction set: anything inline from the standard library could be kept by
# the linker for the whole program.
ISA_SYSTEM = {"cstddef", "cstdint", "arm_neon.h", "immintrin.h"}
ISA_FILES = re.compile(r"core/kernels/(\w+_isa\.cpp|\w+\.inl|vec\.h)$")

SUFFIXES = {".h", ".hpp", ".c", ".cpp", ".inl", ".def"}
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)


class Tree:
    """The source files below a root and the offences found in them."""

    def __init__(self, root):
        self.root = root
        self.offences = []
        self.xtensor_sources = set()

    def check(self):
        for top in (*BELOW, *ABOVE):
            for path in sorted((self.root / top).rglob("*")):
                if path.suffix in SUFFIXES and path.is_file():
                    self.check_file(path)
        for path in sorted(self.root.glob("*.h")):
            self.check_file(path)
        if len(self.xtensor_sources) > MAX_XTENSOR_SOURCES:
            names = ", ".join(sorted(self.xtensor_sources))
            self.offences.append(f"more than {MAX_XTENSOR_SOURCES} sources include xtensor: {names}")
        return self.offences

    def check_file(self, path):
        name = path.relative_to(self.root).as_posix()
        text = path.read_text(encoding="utf-8")
        for match in INCLUDE.finditer(text):
            quoted, system = match.groups()
            why = self.check_quoted(path, name, quoted) if quoted else self.check_system(name, system)
            if why:
                line = text.count("\n", 0, match.start(1 if quoted else 2)) + 1
                self.offences.append(f"{name}:{line}: {quoted or system}: {why}")

    def check_quoted(self, path, name, target):
        """Why this include of ours is wrong, or None."""
        top = name.split("/")[0]
        if not target.startswith("linnet/"):
            beside = (path.parent / target).is_file() or (self.root / top / target).is_file()
            if top in ABOVE and beside:
                return None  # a private header of a test or a tool
            return 'is not spelled "linnet/<folder>/<file>"'
        inner = target[len("linnet/"):]
        if inner == "version.h":
            return None  # written by the build
        if not (self.root / inner).is_file():
            return "does not exist"
        folder = inner.split("/")[0]
        if top in ABOVE or name == "linnet.h":
            if folder not in EVERYTHING:
                return f"{folder} is not a library folder"
            private = "/kernels/" in inner or inner.endswith("_impl.h") or inner.endswith(".inl")
            if private and (top == "samples" or name == "linnet.h"):
                return "is private: a user does not have it"
            return None
        allowed = BELOW[top] | {top}
        if folder in allowed or inner in allowed:
            return None
        return f"{top} may only include {', '.join(sorted(allowed))}"

    def check_system(self, name, target):
        """Why this include of somebody else's is wrong, or None."""
        top, first = name.split("/")[0], target.split("/")[0]
        if target.startswith("linnet/") and not name.startswith("samples/consumer/"):
            return 'is ours: write "" instead of <>'
        wrapper = name.endswith(".hpp")  # the C++ header around the C library; nothing in the folder includes it
        if top == "runtime" and not wrapper and target not in RUNTIME_SYSTEM | RUNTIME_INTRINSICS.get(name, set()):
            return f"runtime may only include {', '.join(sorted(RUNTIME_SYSTEM))}"
        if ISA_FILES.search(name) and target not in ISA_SYSTEM:
            return f"files compiled per instruction set may only include {', '.join(sorted(ISA_SYSTEM))}"
        if top not in BELOW:
            return None
        for library, firsts in HEAVY.items():
            if first not in firsts or HEADER_EXCEPTIONS.get(name) == library:
                continue
            if not name.endswith(".cpp"):
                return f"{library} stays in .cpp files"
            if library == "xtensor":
                self.xtensor_sources.add(name)
        return None


GOOD = {
    "linnet.h": ['"linnet/nn/module.h"', '"linnet/version.h"'],
    "core/tensor.h": ["<vector>"],
    "core/xtensor.h": ["<xtensor/xadapt.hpp>", '"linnet/core/tensor.h"'],
    "core/kernels/vec.h": ["<cstddef>", "<immintrin.h>"],
    "core/kernels/gemm_isa.cpp": ['"linnet/core/kernels/vec.h"'],
    "core/tensor_impl.h": [],
    "autograd/ops.h": ['"linnet/core/tensor.h"'],
    "nn/module.h": ['"linnet/autograd/ops.h"'],
    "optim/adam.h": ['"linnet/core/tensor.h"'],
    "io/checkpoint.cpp": ["<cereal/archives/portable_binary.hpp>", '"linnet/core/tensor.h"'],
    "data/dataset.h": ['"linnet/core/tensor.h"'],
    "train/trainer.h": ['"linnet/optim/adam.h"', '"linnet/data/dataset.h"'],
    "deploy/write.cpp": ['"linnet/runtime/format.h"', '"linnet/nn/module.h"'],
    "compress/prune.h": ['"linnet/deploy/write.h"', '"linnet/runtime/reference.h"'],
    "deploy/write.h": [],
    "runtime/reference.h": [],
    "runtime/format.h": ["<stdint.h>"],
    "runtime/check.h": ['"linnet/runtime/format.h"'],
    "samples/mnist.cpp": ['"linnet/linnet.h"'],
    "tests/nn/a_test.cpp": ['"support/help.h"', '"linnet/core/tensor_impl.h"'],
    "tests/support/help.h": ["<doctest/doctest.h>"],
}
BAD = [  # file, include, part of the message
    ("core/shape.cpp", '"linnet/autograd/ops.h"', "core may only include"),
    ("autograd/ops.cpp", '"linnet/nn/module.h"', "autograd may only include"),
    ("nn/a.h", '"linnet/optim/adam.h"', "nn may only include"),
    ("optim/b.cpp", '"linnet/nn/module.h"', "optim may only include"),
    ("data/c.cpp", '"linnet/autograd/ops.h"', "data may only include"),
    ("io/d.cpp", '"linnet/nn/module.h"', "io may only include"),
    ("graph/e.cpp", '"linnet/train/trainer.h"', "graph may only include"),
    ("deploy/f.cpp", '"linnet/runtime/check.h"', "deploy may only include"),
    ("deploy/g.cpp", '"linnet/compress/prune.h"', "deploy may only include"),
    ("compress/g.cpp", '"linnet/runtime/check.h"', "compress may only include"),
    ("runtime/g.c", '"linnet/core/tensor.h"', "runtime may only include"),
    ("runtime/h.c", "<math.h>", "runtime may only include"),
    ("nn/i.cpp", '"linnet/nn/missing.h"', "does not exist"),
    ("nn/j.cpp", '"module.h"', "is not spelled"),
    ("nn/k.cpp", "<linnet/nn/module.h>", "is ours"),
    ("samples/l.cpp", '"linnet/core/tensor_impl.h"', "is private"),
    ("core/m.h", "<xtensor/xarray.hpp>", "xtensor stays in .cpp"),
    ("io/n.h", "<cereal/cereal.hpp>", "cereal stays in .cpp"),
    ("core/o.h", "<cblas-openblas.h>", "BLAS stays in .cpp"),
    ("core/kernels/p_isa.cpp", "<vector>", "files compiled per instruction set"),
    ("core/q.cpp", '"linnet/tests/support/help.h"', "core may only include"),
]


def write_tree(root, files):
    for name, includes in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"#include {target}\n" for target in includes))


def self_test():
    """One tree without fault, then the same with one offence planted at a time."""
    failures = []
    many = {f"core/x{i}.cpp": ["<xtensor/xarray.hpp>"] for i in range(MAX_XTENSOR_SOURCES + 1)}
    plants = [({name: [target]}, text) for name, target, text in BAD]
    plants.append((many, "more than 5 sources include xtensor"))
    plants.append(({}, None))
    for plant, text in plants:
        with tempfile.TemporaryDirectory() as folder:
            write_tree(Path(folder), {**GOOD, **plant})
            found = Tree(Path(folder)).check()
        if text is None and found:
            failures.append(f"a tree without fault is refused: {found}")
        if text is not None and (len(found) != 1 or text not in found[0]):
            failures.append(f"{plant} should give one offence with '{text}', gave {found}")
    for failure in failures:
        print(f"self-test: {failure}")
    print(f"self-test: {len(plants) - len(failures)} passed, {len(failures)} failed")
    return not failures


def main():
    parser = argparse.ArgumentParser(description="Checks that no include goes up the picture.")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent)
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args()
    if arguments.self_test:
        sys.exit(0 if self_test() else 1)
    offences = Tree(arguments.root).check()
    for offence in offences:
        print(offence)
    print(f"layers: {len(offences)} wrong includes" if offences else "layers: every include goes down")
    sys.exit(1 if offences else 0)


if __name__ == "__main__":
    main()
