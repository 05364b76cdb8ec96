# SPDX-License-Identifier: Apache-2.0
"""Ranges of quantized tensors: tests/golden/observe.json, by NumPy and by trying everything."""
import numpy as np
import torch

from .common import given, write

PERCENTILES = {"99.9 %": 0.999, "99.99 %": 0.9999, "99.999 %": 0.99999}


def histogram(x):
    """Counts and edges of bins of the smallest power of two of which 2048 cover x and 0, both ends inside."""
    low, high = min(x.min(), 0.0), max(x.max(), 0.0)
    exponent = -126
    while np.floor(high / 2.0**exponent) - np.floor(low / 2.0**exponent) >= 2048:
        exponent += 1
    first, last = np.floor(low / 2.0**exponent), np.floor(high / 2.0**exponent)
    edges = np.arange(first, last + 2) * 2.0**exponent
    counts = np.array([np.sum((x >= a) & (x < b)) for a, b in zip(edges[:-1], edges[1:])])
    assert counts.sum() == x.size
    return counts, edges


def percentile(x, share):
    counts, edges = histogram(x)
    cut = (1 - share) / 2
    reached = np.concatenate([[0.0], np.cumsum(counts)]) / x.size
    above = np.concatenate([[0.0], np.cumsum(counts[::-1])]) / x.size
    i = np.argmax(reached > cut)  # the first edge below which more than the cut lies
    j = np.argmax(above > cut)
    low = np.interp(cut, reached[i - 1:i + 1], edges[i - 1:i + 1])
    high = np.interp(cut, above[j - 1:j + 1], edges[::-1][j - 1:j + 1])
    return [min(max(low, x.min()), 0.0), max(min(high, x.max()), 0.0)]


def mse(x, bits):
    counts, edges = histogram(x)
    middles = (edges[:-1] + edges[1:]) / 2
    zeros = np.sum(x == 0)
    steps = np.arange(128, 0, -1) / 128
    best = None
    for low in min(x.min(), 0.0) * steps if x.min() < 0 else [0.0]:
        for high in max(x.max(), 0.0) * steps if x.max() > 0 else [0.0]:
            under, over = (middles < low) & (middles < 0), (middles > high) & (middles > 0)
            s = (high - low) / (2**bits - 1)
            error = s * s / 12 * (counts.sum() - counts[under | over].sum() - zeros)
            error += np.sum(counts[under] * (middles[under] - low)**2)
            error += np.sum(counts[over] * (middles[over] - high)**2)
            if best is None or error < best[0]:
                best = (error, low, high)
    return list(best[1:])


def weight_range(w, bits):
    most = 2 ** (bits - 1) - 1
    shares = np.arange(100, (80 if bits >= 8 else 50) - 1, -1) / 100
    ranges = np.abs(w).max() * shares
    errors = [np.sum((w - r / most * np.clip(np.rint(w / (r / most)), -most, most))**2) for r in ranges]
    return ranges[int(np.argmin(errors))]


def whole(x):
    return np.round(x * 1024) / 1024


def make():
    rng = np.random.default_rng(70)
    normal = rng.normal(size=1537)
    seen = {
        "normal": normal,
        "relu of normal": np.maximum(normal, 0),
        "heavy tails": rng.standard_t(2, size=1537),
        "one outlier": np.concatenate([rng.uniform(-1, 1, size=1536), [30]]),
        "all negative": -rng.uniform(0.5, 3, size=733),
        "far from 0": rng.normal(20, 0.5, size=733),
    }
    cases = []
    for name, x in seen.items():
        x = whole(x)
        ranges = {"min-max": [min(x.min(), 0.0), max(x.max(), 0.0)], "mse": mse(x, 8), "mse, 4 bits": mse(x, 4)}
        ranges.update({rule: percentile(x, share) for rule, share in PERCENTILES.items()})
        cases.append({"name": name, "x": given(torch.tensor(x)), "ranges": ranges})
    for bits in 4, 8:
        for name, w in ("normal", rng.normal(size=64)), ("heavy tails", rng.standard_t(2, size=64)):
            w = whole(w)
            cases.append({"name": f"weight, {name}, {bits} bits", "x": given(torch.tensor(w)), "bits": bits,
                          "range": weight_range(w, bits)})
    write("observe.json", cases)
