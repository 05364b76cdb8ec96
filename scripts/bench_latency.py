#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Latency of one sample on one thread: our runtime beside ONNX Runtime and libtorch, where those are there.

usage: bench_latency.py [--build DIR] [--rounds N] [--seconds S] [--onnxruntime LIBRARY] [--update-docs]

Programs of bench/ run by turns, each in a process of its own; the figures are medians over rounds of each
process's median. --update-docs writes the table into docs/performance.md.
Peers are optional:
  ONNX Runtime   npm install onnxruntime-node --ignore-scripts     (or --onnxruntime .../libonnxruntime.so.1)
  libtorch       cmake -DLINNET_BENCH_PEERS=ON with Debian's libtorch-dev
  the networks   for both by scripts/write_twins.py, which needs Debian's python3-torch
"""
import argparse
import platform
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORKLOADS = {"mlp": ("1x784", "1x10"), "cnn": ("1x1x28x28", "1x10"), "lstm": ("1x50x8", "1x1"),
             "mobilenet": ("1x3x96x96", "1x10")}
START, END = "<!-- latency begin -->", "<!-- latency end -->"


def lines_of(command):
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"{command[0]} failed:\n{result.stderr}")
    return {name: float(value) for name, value in (line.split() for line in result.stdout.splitlines())}


def find_onnxruntime(given):
    if given:
        return Path(given)
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    for folder in (Path.cwd(), ROOT):
        found = sorted(folder.glob(f"node_modules/onnxruntime-node/bin/napi-v*/linux/{machine}/libonnxruntime.so*"))
        if found:
            return found[-1]
    return None


def write_twins(folder):
    """True when the networks of the peers could be written."""
    for python in (sys.executable, "/usr/bin/python3"):
        result = subprocess.run([python, str(ROOT / "scripts/write_twins.py"), folder], capture_output=True, text=True)
        if result.returncode == 0:
            return True
    print("no peers: scripts/write_twins.py needs PyTorch (apt install python3-torch)", file=sys.stderr)
    return False


def commands_of(arguments, folder):
    """By workload the programs to run: {"linnet": [command], "libtorch": [command, command], ...}."""
    bench = arguments.build / "bench"
    twins = write_twins(folder)
    library = find_onnxruntime(arguments.onnxruntime)
    torch = bench / "torch_latency"
    if twins and not library:
        print("no ONNX Runtime: npm install onnxruntime-node --ignore-scripts", file=sys.stderr)
    if twins and not torch.exists():
        print("no libtorch: cmake -DLINNET_BENCH_PEERS=ON, with libtorch-dev", file=sys.stderr)
    commands, about = {}, {}
    for name, (x, y) in WORKLOADS.items():
        file = Path(folder) / f"{name}.linnet"
        about[name] = lines_of([bench / "write_network", name, file])
        commands[name] = {"linnet": [[bench / "runtime_latency", file, arguments.seconds]]}
        if twins and library:
            commands[name]["onnxruntime"] = [
                [bench / "onnxruntime_latency", library, Path(folder) / f"{name}.onnx", arguments.seconds, x, y]]
        if twins and torch.exists():
            commands[name]["libtorch"] = [[torch, twin, arguments.seconds, x]
                                          for twin in sorted(Path(folder).glob(f"{name}*.pt"))]
    return commands, about


def measure(commands, rounds):
    """By workload and library the lines of every round; of libtorch's memory layouts those of the faster one."""
    figures = {name: {library: [[] for _ in variants] for library, variants in libraries.items()}
               for name, libraries in commands.items()}
    for _ in range(rounds):
        for name, libraries in commands.items():
            for library, variants in libraries.items():
                for lines, variant in zip(figures[name][library], variants):
                    lines.append(lines_of(variant))
    return {name: {library: min(variants, key=lambda rounds: median(rounds, "latency_us_median"))
                   for library, variants in libraries.items()} for name, libraries in figures.items()}


def median(rounds, key):
    return statistics.median(lines[key] for lines in rounds)


def table_of(figures, about):
    rows = ["| workload | Linnet us | p99 | ONNX Runtime us | p99 | libtorch us | ONNX Runtime / Linnet | arena bytes "
            "| lower bound | file bytes | peak RSS MB |", "|" + "---|" * 11]
    for name, libraries in figures.items():
        ours = libraries["linnet"]
        cells = [f"`{name}`", f"{median(ours, 'latency_us_median'):.1f}", f"{median(ours, 'latency_us_p99'):.1f}"]
        peer = libraries.get("onnxruntime")
        cells += [f"{median(peer, 'latency_us_median'):.1f}", f"{median(peer, 'latency_us_p99'):.1f}"] if peer else 2 * ["-"]
        torch = libraries.get("libtorch")
        cells.append(f"{median(torch, 'latency_us_median'):.1f}" if torch else "-")
        ratios = [b["latency_us_median"] / a["latency_us_median"] for a, b in zip(ours, peer or [])]
        cells.append(f"{statistics.median(ratios):.2f}" if ratios else "-")
        cells += [f"{ours[0]['arena_bytes']:,.0f}", f"{about[name]['lower_bound_bytes']:,.0f}",
                  f"{ours[0]['file_bytes']:,.0f}", f"{max(r['peak_rss_bytes'] for r in ours) / 1e6:.2f}"]
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)


def update_docs(table):
    page = ROOT / "docs/performance.md"
    text = page.read_text()
    if START not in text:
        sys.exit(f"{page} has no line {START}")
    page.write_text(re.sub(f"{START}.*{END}", lambda _: f"{START}\n{table}\n{END}", text, flags=re.DOTALL))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=ROOT / "build/release")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.6, help="for each measurement")
    parser.add_argument("--onnxruntime", help="libonnxruntime.so")
    parser.add_argument("--update-docs", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        commands, about = commands_of(arguments, folder)
        table = table_of(measure(commands, arguments.rounds), about)
    print(table)
    if arguments.update_docs:
        update_docs(table)


if __name__ == "__main__":
    main()
