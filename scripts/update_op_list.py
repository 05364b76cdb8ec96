#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the table of docs/ops.md from the rows of core/ops/*.def. tests/autograd/op_list_test.cpp compares."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent
LOWERING = {
    "RUNTIME": "runtime",
    "FOLDED": "folded",
    "TRAINING_ONLY": "training only",
    "NOT_YET": "not yet lowered",
}
BEGIN, END = "<!-- ops: begin -->\n", "<!-- ops: end -->\n"


def rows(file):
    text = (ROOT / "core/ops" / file).read_text()
    text = "\n".join(line for line in text.splitlines() if not line.startswith("//"))
    pattern = r'(?:UNARY\d?|BINARY|STRUCTURED)\((\w+),.*?"([^"]*)",\s*(\w+)\)\s*(?=\n[A-Z]|\s*$)'
    return re.findall(pattern, text, re.S)


def table():
    lines = ["| op | value | inference build |", "|---|---|---|"]
    for file in ("unary.def", "binary.def", "structured.def"):
        lines += [f"| `{name}` | {doc} | {LOWERING[lowering]} |" for name, doc, lowering in rows(file)]
    return "\n".join(lines) + "\n"


def main():
    path = ROOT / "docs/ops.md"
    text = path.read_text()
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    path.write_text(before + BEGIN + table() + END + after)


if __name__ == "__main__":
    main()
