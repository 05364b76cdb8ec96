#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints lines per folder, the largest file of each, and the files past the size the house aims at."""
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CODE = {".h", ".hpp", ".c", ".cpp", ".inl", ".def", ".py", ".sh", ".cmake", ".md", ".txt"}
LIMITS = {".h": 200, ".hpp": 200, ".c": 400, ".cpp": 400}


def tracked_files():
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    return [Path(name) for name in listing.stdout.split("\0") if name and Path(name).suffix in CODE]


def main():
    lines = {path: len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in tracked_files()
             if (ROOT / path).is_file()}
    folders = defaultdict(list)
    for path in lines:
        folders[path.parts[0] if len(path.parts) > 1 else "."].append(path)
    print(f"{'folder':<12}{'files':>7}{'lines':>8}   largest")
    for folder, paths in sorted(folders.items(), key=lambda item: -sum(lines[p] for p in item[1])):
        largest = max(paths, key=lines.get)
        print(f"{folder:<12}{len(paths):>7}{sum(lines[p] for p in paths):>8}   {lines[largest]:>5} {largest}")
    print(f"{'all':<12}{len(lines):>7}{sum(lines.values()):>8}")
    long = sorted((p for p in lines if lines[p] > LIMITS.get(p.suffix, sys.maxsize)), key=lambda p: -lines[p])
    for path in long:
        print(f"longer than {LIMITS[path.suffix]}: {lines[path]:>5} {path}")


if __name__ == "__main__":
    main()
