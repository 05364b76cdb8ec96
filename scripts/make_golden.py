#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/*.json: values, gradients and training trajectories computed by PyTorch in f64 (int8.json, compress.json and
observe.json by NumPy or plain Python).

Needed only to add cases; the tests read the committed files. On Debian:
    apt-get install python3-torch && /usr/bin/python3 scripts/make_golden.py [FAMILY...]

Each file of scripts/golden/ is a family with a function make(); all are run unless some are named.
"""
import importlib
import pathlib
import sys

if __name__ == "__main__":
    families = sorted(path.stem for path in (pathlib.Path(__file__).resolve().parent / "golden").glob("*.py"))
    families.remove("common")
    for family in sys.argv[1:] or families:
        importlib.import_module(f"golden.{family}").make()
