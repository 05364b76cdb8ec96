#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One epoch of mnist-mlp, everything included, beside the same in a libtorch program.

usage: bench_epoch.py DIR [--build build/release] [--rounds 5] [--threads 1]

DIR holds the gzipped MNIST files. Runs `linnet train mnist-mlp --epochs 1` and bench/torch_mnist (built with
-DLINNET_BENCH_PEERS=ON) by turns in processes of their own: start, reading, training, testing, saving. Prints both
times of each round, wall and processor, and the median of the rounds' ratios.

Then the time from the start of `linnet train mnist-mlp` to the end of its first training step, reading data
excluded: what loading the program takes (`linnet --version`, as a whole) plus what a profile of the run shows up to
there. The best of 20 runs, and the median.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median


def timed(command, environment=None):
    """Wall seconds and processor seconds of a command."""
    before, start = os.times(), time.perf_counter()
    done = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    wall, after = time.perf_counter() - start, os.times()
    if done.returncode != 0:
        sys.exit(f"bench_epoch: {' '.join(command)} failed:\n{done.stderr}")
    processor = sum(getattr(after, part) - getattr(before, part) for part in ("children_user", "children_system"))
    return wall, processor


def start_seconds(linnet, folder, out):
    """From the start of the program to the end of the first training step, without reading data."""
    load, _ = timed([linnet, "--version"])
    trace = f"{out}/trace.json"
    subprocess.run([linnet, "train", "mnist-mlp", "--data", str(folder), "--limit", "32", "--epochs", "1", "--threads", "1",
                    "--out", f"{out}/start.ckpt"], env={**os.environ, "LINNET_PROFILE": trace}, check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    events = json.loads(Path(trace).read_text(encoding="utf-8"))["traceEvents"]
    reading = sum(event["dur"] for event in events if event["name"] == "read data")
    step = min((event["ts"] + event["dur"] for event in events if event["name"] == "optimizer step"))
    return load + 1e-6 * (step - reading)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dir")
    parser.add_argument("--build", default=str(Path(__file__).resolve().parent.parent / "build/release"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", default="1")
    arguments = parser.parse_args()
    folder = Path(arguments.dir)
    if (folder / "mnist").is_dir():
        folder = folder / "mnist"
    # libtorch's own setting does not reach the threads of the BLAS below it.
    peer_environment = {**os.environ, "OPENBLAS_NUM_THREADS": arguments.threads, "OMP_NUM_THREADS": arguments.threads}
    walls, processors = [], []
    print(f"{'round':>5} {'linnet s':>10} {'libtorch s':>11} {'ratio':>7} {'processor s':>12} {'libtorch s':>11} {'ratio':>7}")
    with tempfile.TemporaryDirectory() as out:
        for turn in range(1, arguments.rounds + 1):
            ours = timed([f"{arguments.build}/tools/linnet", "train", "mnist-mlp", "--data", str(folder), "--epochs", "1",
                          "--threads", arguments.threads, "--seed", str(turn), "--out", f"{out}/ours.ckpt"])
            peer = timed([f"{arguments.build}/bench/torch_mnist", str(folder), f"{out}/peer.pt", arguments.threads, str(turn)],
                         peer_environment)
            walls.append(peer[0] / ours[0])
            processors.append(peer[1] / ours[1])
            print(f"{turn:>5} {ours[0]:>10.3f} {peer[0]:>11.3f} {walls[-1]:>7.2f} {ours[1]:>12.3f} {peer[1]:>11.3f} "
                  f"{processors[-1]:>7.2f}")
        starts = sorted(start_seconds(f"{arguments.build}/tools/linnet", folder, out) for _ in range(20))
    print(f"median of the ratios: {median(walls):.2f} by the clock, {median(processors):.2f} by processor time")
    print(f"start to first step: {1e3 * starts[0]:.1f} ms at best, {1e3 * median(starts):.1f} ms in the median")


if __name__ == "__main__":
    main()
