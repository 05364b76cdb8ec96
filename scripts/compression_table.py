#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What compression costs and gains: trains the recipes, compresses them in every way, writes docs/compression.md.

usage: compression_table.py [--linnet FILE] [--data DIR] [--work DIR] [--seeds 1,2,3] [--networks NAME,...]
                            [--jobs N] [--quick] [--update-docs]

Every row is one or more commands on a trained checkpoint, for each seed. It is compared with the same network after
the same number of extra epochs (`linnet prune --sparsity 0 --epochs N`, with the row's weight decay). `linnet report`
measures all variants of a network with as many extra epochs by turns. Checkpoints stay in --work with the commands
that made them, and what the same command has made of the same file is not made again.

--quick takes seed 1 and leaves out the CIFAR networks. --update-docs needs all networks and seeds.
"""
import argparse
import hashlib
import json
import math
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
START, END = "<!-- compression begin -->", "<!-- compression end -->"
SLOW = {"cifar10-cnn", "mobilenet-v1-025"}


class Row:
    """A way of compressing: commands one after the other, and what is asked of the result."""

    def __init__(self, name, *steps, lost=None, smaller=None, macs=None, latency=None):
        self.name, self.steps = name, steps
        self.lost, self.smaller, self.macs, self.latency = lost, smaller, macs, latency

    @property
    def key(self):
        return re.sub(r"[^a-z0-9]+", "_", self.name.lower()).strip("_")

    @property
    def epochs(self):
        """Extra epochs of training."""
        return sum(int(n) for step in self.steps for n in re.findall(r"--epochs (\d+)", step))

    @property
    def decay(self):
        """Of the steps that have one; the baseline gets it, too."""
        found = re.search(r"--weight-decay (\S+)", " ".join(self.steps))
        return found[1] if found else None

    @property
    def distils(self):
        return self.steps[0].startswith("distil")


PRUNE, QUANTIZE = "prune --sparsity 0.8 --epochs 1", "quantize"
SLOWLY = "--schedule polynomial --weight-decay 1e-4 --epochs 1"
SHARE_AND_TRAIN = ("cluster --clusters 16 --epochs 1", "quantize --qat --epochs 1")
ROWS = {
    "mnist-mlp": [
        Row("80 % sparse", PRUNE, lost=0.3),
        Row("80 % sparse, on a schedule", f"prune --sparsity 0.8 {SLOWLY}"),
        Row("90 % sparse, on a schedule", f"prune --sparsity 0.9 {SLOWLY}"),
        Row("2:4", "prune --n-of-m 2:4 --epochs 1"),
        Row("1:4", "prune --n-of-m 1:4 --epochs 1"),
        Row("1x4 blocks, 80 %", "prune --sparsity 0.8 --block 1x4 --epochs 1"),
        Row("structured 50 %", "prune --sparsity 0.5 --structured --epochs 1"),
        Row("16 clusters", "cluster --clusters 16 --epochs 1", lost=0.5, smaller=5),
        Row("int8", QUANTIZE, lost=0.3),
        Row("int8, QAT", "quantize --qat --epochs 1"),
        Row("int8, dynamic", "quantize --mode dynamic"),
        Row("int8 weights", "quantize --mode weight-int8"),
        Row("int4 weights", "quantize --mode weight-int4"),
        Row("float16", "quantize --mode f16"),
        Row("distilled from mnist-cnn", "distil --student mnist-mlp"),
        Row("80 % sparse, 16 clusters, QAT", f"prune --sparsity 0.8 {SLOWLY}", *SHARE_AND_TRAIN, lost=0.7, smaller=14),
        Row("90 % sparse, 16 clusters, QAT", f"prune --sparsity 0.9 {SLOWLY}", *SHARE_AND_TRAIN, lost=1.2, smaller=20),
    ],
    "mnist-cnn": [
        Row("80 % sparse", PRUNE, lost=0.3),
        Row("structured 50 %", "prune --sparsity 0.5 --structured --epochs 1", lost=0.5, macs=45, latency=35),
        Row("16 clusters", "cluster --clusters 16 --epochs 1", lost=0.5, smaller=5),
        Row("int8", QUANTIZE, lost=0.3),
        Row("structured 50 %, int8", "prune --sparsity 0.5 --structured --epochs 1", QUANTIZE),
    ],
    "har-conv": [Row("int8", QUANTIZE, lost=1.0)],
    "har-lstm": [Row("int8", QUANTIZE, lost=1.0)],
    "har-gru": [Row("int8", QUANTIZE, lost=1.0)],
    "cifar10-cnn": [Row("int8", QUANTIZE, lost=1.0)],
    "mobilenet-v1-025": [Row("int8", QUANTIZE, lost=1.0), Row("int8, QAT", "quantize --qat --epochs 2", lost=0.5)],
}


class Maker:
    """Runs linnet; what the same command has made is not made again."""

    def __init__(self, arguments):
        self.linnet, self.work = arguments.linnet, arguments.work
        self.data = ["--data", arguments.data] if arguments.data else []

    @staticmethod
    def origin(words):
        """The command, and what it reads, which another command may have made anew."""
        source = Path(words[1])
        return {"command": words, "source": hashlib.sha256(source.read_bytes()).hexdigest() if source.exists() else ""}

    def run(self, words, out=None):
        made_by = self.origin(words)
        if out and out.exists() and made_by.items() <= self.figures(out).items():
            return
        part = out.with_name("making_" + out.name) if out else None
        command = [str(self.linnet), *words, *self.data, "--json", "--threads", "1"]
        command += ["--out", str(part)] if part else []
        result = subprocess.run(command, capture_output=True, text=True)
        if result.returncode != 0:
            sys.exit(f"{' '.join(command)} failed:\n{result.stderr}")
        figures = json.loads(result.stdout.splitlines()[-1])
        if figures.get("finished") is False:
            sys.exit(f"{' '.join(command)} was stopped.")
        if part:
            part.rename(out)
            out.with_suffix(".json").write_text(json.dumps({**made_by, **figures}))
            part.with_name(part.name + ".prev").unlink(missing_ok=True)
        return figures

    @staticmethod
    def figures(out):
        """What the command that made a checkpoint printed, and the command."""
        beside = out.with_suffix(".json")
        return json.loads(beside.read_text()) if beside.exists() else {}

    def file(self, network, seed, key):
        return self.work / f"{network}.{seed}.{key}.ckpt"

    def train(self, job):
        network, seed = job
        self.run(["train", network, "--seed", str(seed)], self.file(network, seed, "float"))

    def baseline(self, network, seed, row):
        """The float network after as many more epochs."""
        if row.epochs == 0:
            return self.file(network, seed, "float")
        decay = ["--weight-decay", row.decay] if row.decay else []
        out = self.file(network, seed, "_".join(["float", str(row.epochs), *decay[1:]]))
        self.run(["prune", str(self.file(network, seed, "float")), "--sparsity", "0", "--epochs", str(row.epochs),
                  *decay, "--seed", str(seed)], out)
        return out

    def variants(self, job):
        network, seed = job
        for row in ROWS[network]:
            self.baseline(network, seed, row)
            source = self.file("mnist-cnn" if row.distils else network, seed, "float")
            for i, step in enumerate(row.steps, 1):
                out = self.file(network, seed, row.key + ("" if i == len(row.steps) else f"_{i}"))
                name, *words = step.split()
                self.run([name, str(source), *words, "--seed", str(seed)], out)
                source = out

    def report(self, network, seed, rows):
        """Figures of rows with one baseline, beside it; all measured by turns."""
        files = [self.baseline(network, seed, rows[0])]
        files += [self.file(network, seed, row.key) for row in rows]
        return self.run(["report", *map(str, files)])["variants"]


def figures(maker, network, seeds):
    """By key of a row ("float" too) the figures of every seed, each with those of its baseline."""
    found = {}
    for seed in seeds:
        groups = {}
        for row in ROWS[network]:
            groups.setdefault(maker.baseline(network, seed, row), []).append(row)
        for rows in groups.values():
            base, *others = maker.report(network, seed, rows)
            if rows[0].epochs == 0:
                found.setdefault("float", []).append((base, base))
            for row, figure in zip(rows, others):
                found.setdefault(row.key, []).append((figure, base))
    return found


def mean(numbers):
    numbers = list(numbers)
    return sum(numbers) / len(numbers)


def asked(row, pairs):
    """What the row had to reach, and whether it did."""
    words = []
    lost = -100 * mean(f["change"] for f, _ in pairs)
    error = 100 * math.sqrt(sum(f["change_standard_error"] ** 2 for f, _ in pairs)) / len(pairs)

    def say(text, met):
        words.append(text if met else f"{text}: missed")

    if row.lost is not None:
        say(f"at most {row.lost} lost", lost - error < row.lost)
    if row.smaller is not None:
        say(f"{row.smaller}x smaller", mean(b["bytes"] / f["bytes"] for f, b in pairs) >= row.smaller)
    if row.macs is not None:
        say(f"{row.macs} % fewer MACs", 100 * (1 - pairs[0][0]["macs"] / pairs[0][1]["macs"]) >= row.macs)
    if row.latency is not None:
        say(f"{row.latency} % less time", 100 * (1 - 1 / mean(f["speedup"] for f, _ in pairs)) >= row.latency)
    return ", ".join(words) or "-"


def cells(name, pairs, row=None):
    figure, base = pairs[0]
    accuracy = mean(f["accuracy"] for f, _ in pairs) * 100
    change = mean(f["change"] for f, _ in pairs) * 100
    error = 100 * math.sqrt(sum(f["change_standard_error"] ** 2 for f, _ in pairs)) / len(pairs)
    return [name, f"{mean(f['bytes'] for f, _ in pairs):,.0f}",
            f"{mean(b['bytes'] / f['bytes'] for f, b in pairs):.2f}x",
            f"{mean(f['nonzero_parameters'] for f, _ in pairs):,.0f}", f"{figure['macs']:,}",
            f"{mean(f['latency_us'] for f, _ in pairs):.1f}", f"{mean(f['speedup'] for f, _ in pairs):.2f}x",
            f"{accuracy:.2f}", f"{change:+.2f} +- {error:.2f}" if row else "-", asked(row, pairs) if row else "-"]


def agreement(maker, networks, seeds):
    """By network the worst shares that `linnet quantize` printed of its files of integers throughout."""
    lines = ["| integers and their simulation, worst file | outputs within one step, % | same largest output, % |",
             "|---|---:|---:|"]
    for network in networks:
        files = [maker.file(network, seed, row.key) for seed in seeds for row in ROWS[network]]
        found = [figures for file in files if "same_largest_output" in (figures := maker.figures(file))]
        worst = [min(f[name] for f in found) for name in ("outputs_within_one_step", "same_largest_output")]
        lines.append(f"| `{network}` | " + " | ".join(f"{100 * share:.2f}" for share in worst) + " |")
    return "\n".join(lines) + "\n"


def table(maker, networks, seeds):
    head = ["model", "bytes", "smaller", "not 0", "MACs", "latency us", "faster", "accuracy %", "change, points",
            "asked for"]
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 2) + "---|"]
    for network in networks:
        found = figures(maker, network, seeds)  # every network has a row without extra epochs
        lines.append("| " + " | ".join(cells(f"`{network}`", found["float"])) + " |")
        lines += ["| " + " | ".join(cells(row.name, found[row.key], row)) + " |" for row in ROWS[network]]
    note = (f"\nMeans over training seeds {', '.join(map(str, seeds))}; changes are paired by test sample, "
            "against the float network after as many extra epochs, with their standard errors. One thread; ")
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return "\n".join(lines) + "\n" + note + (cpu.group(1) if cpu else os.uname().machine) + ".\n\n" + agreement(maker, networks, seeds)


def update_docs(maker, text, seed):
    picture = ROOT / "docs/compression.svg"
    longest = max(ROWS["mnist-mlp"], key=lambda row: row.epochs)
    files = [maker.baseline("mnist-mlp", seed, longest)]  # trained as long as any
    files += [maker.file("mnist-mlp", seed, row.key) for row in ROWS["mnist-mlp"]]
    maker.run(["report", *map(str, files), "--report", str(picture)])
    svg = picture.read_text().replace(f"mnist-mlp.{seed}.", "")
    picture.write_text(svg)
    page = ROOT / "docs/compression.md"
    old = page.read_text()
    new = (f"{START}\n{text}\n![mnist-mlp, seed {seed}: accuracy against bytes; the float network has "
           f"{longest.epochs} extra epochs](compression.svg)\n{END}")
    page.write_text(re.sub(f"{START}.*{END}", lambda _: new, old, flags=re.DOTALL))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--linnet", type=Path, default=ROOT / "build/release/tools/linnet")
    parser.add_argument("--data", help="folder with the data sets")
    parser.add_argument("--work", type=Path, default=Path("compression_work"))
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--networks", default=",".join(ROWS))
    parser.add_argument("--jobs", type=int, default=1, help="trainings at the same time")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--update-docs", action="store_true")
    arguments = parser.parse_args()
    seeds = [1] if arguments.quick else [int(seed) for seed in arguments.seeds.split(",")]
    networks = [name for name in arguments.networks.split(",") if not (arguments.quick and name in SLOW)]
    if unknown := set(networks) - set(ROWS):
        parser.error(f"--networks: {', '.join(sorted(unknown))} is none of {', '.join(ROWS)}")
    if arguments.update_docs and networks != list(ROWS):
        parser.error("--update-docs needs all networks and seeds")
    arguments.work.mkdir(parents=True, exist_ok=True)
    maker = Maker(arguments)
    jobs = [(network, seed) for network in networks for seed in seeds]
    teachers = [("mnist-cnn", seed) for seed in seeds if "mnist-mlp" in networks]
    with ThreadPoolExecutor(arguments.jobs) as pool:
        list(pool.map(maker.train, sorted(set(jobs + teachers))))
        list(pool.map(maker.variants, jobs))
    text = table(maker, networks, seeds)
    print(text)
    if arguments.update_docs:
        update_docs(maker, text, seeds[0])


if __name__ == "__main__":
    main()
