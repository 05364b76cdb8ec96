#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares two results of `linnet bench --json`: bench_compare.py OLD NEW [--tolerance PERCENT].

OLD and NEW hold what the command printed on standard output; the last line counts. Prints a row a workload and
exits 1 when one became slower than before by more than the tolerance (default 10 %, and never less than both
spreads together: a difference within them says nothing).
"""
import argparse
import json
import sys


def read(path):
    """{(workload, batch, threads): figures}."""
    try:
        with open(path, encoding="utf-8") as file:
            rows = json.loads(file.read().strip().splitlines()[-1])
        return {(row["workload"], row["batch"], row["threads"]): row for row in rows}
    except (OSError, IndexError, ValueError, KeyError, TypeError) as error:
        sys.exit(f"bench_compare: {path}: not a result of linnet bench --json: {error!r}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("--tolerance", type=float, default=10.0, metavar="PERCENT")
    arguments = parser.parse_args()
    old, new = read(arguments.old), read(arguments.new)
    slower = False
    print(f"{'workload':<10} {'batch':>5} {'threads':>7} {'old':>10} {'new':>10} {'change':>8} {'RSS':>8}")
    for key in sorted(old.keys() | new.keys()):
        name, batch, threads = key
        label = f"{name:<10} {batch:>5} {threads:>7}"
        if key not in old or key not in new:
            print(f"{label} only in {arguments.old if key in old else arguments.new}")
            continue
        a, b = old[key], new[key]
        change = 100.0 * (b["samples_per_second"] / a["samples_per_second"] - 1.0)
        memory = 100.0 * (b["peak_rss_bytes"] / a["peak_rss_bytes"] - 1.0)
        allowed = max(arguments.tolerance, 100.0 * (a.get("spread", 0.0) + b.get("spread", 0.0)))
        worse = change < -allowed
        slower |= worse
        print(f"{label} {a['samples_per_second']:>10.0f} {b['samples_per_second']:>10.0f} {change:>+7.1f} % "
              f"{memory:>+6.1f} %{'  slower' if worse else ''}")
    sys.exit(1 if slower else 0)


if __name__ == "__main__":
    main()
