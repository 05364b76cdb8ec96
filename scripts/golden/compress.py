# SPDX-License-Identifier: Apache-2.0
"""Compression: tests/golden/compress.json, from the definitions, slowly. Needs NumPy only.

Weights are whole numbers over 1024 of distinct magnitudes and every count is whole, so that no case depends on
how ties are broken or counts rounded. Masks are 1 where a weight stays.
"""
import json

import numpy as np

from .common import OUT, SCALE

rng = np.random.default_rng(7)


def given(x):
    x = np.asarray(x)
    scaled = x.ravel() * SCALE
    assert np.array_equal(scaled, np.round(scaled))
    return {"shape": list(x.shape), "over_1024": [int(v) for v in scaled]}


def computed(x):
    x = np.asarray(x, dtype=np.float64)
    return {"shape": list(x.shape), "values": [float(f"{v:.15g}") for v in x.ravel()]}


def whole(x):
    x = np.asarray(x)
    return {"shape": list(x.shape), "labels": [int(v) for v in x.ravel()]}


def draw(*shape, low=-2048, high=2048):
    return rng.integers(low, high, shape) / SCALE


def weights(*shape):
    """Like a trained layer, many small and few large, no two of one magnitude."""
    n = int(np.prod(shape))
    magnitudes = np.cumsum(1 + np.floor(40 * (np.arange(n) / n) ** 4 + rng.integers(0, 4, n)))
    return (rng.permutation(magnitudes) * rng.choice([-1, 1], n) / SCALE).reshape(shape)


# ---- Philox4x32-10, counted as core/random.h has it -----------------------------------------------------------
class Stream:
    def __init__(self, seed, call):
        self.seed, self.call, self.block, self.words = seed, call, 0, []

    def bits(self):
        if not self.words:
            x = [self.block & 0xFFFFFFFF, self.block >> 32, self.call & 0xFFFFFFFF, self.call >> 32]
            key = [self.seed & 0xFFFFFFFF, self.seed >> 32]
            for _ in range(10):
                p, q = 0xD2511F53 * x[0], 0xCD9E8D57 * x[2]
                x = [q >> 32 ^ x[1] ^ key[0], q & 0xFFFFFFFF, p >> 32 ^ x[3] ^ key[1], p & 0xFFFFFFFF]
                key = [(key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF]
            self.words, self.block = x, self.block + 1
        return self.words.pop(0)

    def uniform(self):
        a, b = self.bits(), self.bits()
        return ((a >> 5) * 2**26 + (b >> 6)) / 2**53

    def below(self, n):
        while True:
            product = n * self.bits()
            if product % 2**32 >= (2**32 - n) % n:
                return product >> 32


# ---- k-means --------------------------------------------------------------------------------------------------
def linear_start(v, k, _):
    return np.linspace(v.min(), v.max(), k)


def density_start(v, k, _):
    """The middles of k equal parts of the values in order."""
    return np.sort(v)[[int((2 * i + 1) * len(v) // (2 * k)) for i in range(k)]]


def plus_plus_start(v, k, stream):
    """Arthur, Vassilvitskii: "k-means++: The Advantages of Careful Seeding", 2007."""
    v = np.sort(v)
    centres = [v[stream.below(len(v))]]
    while len(centres) < k:
        squares = np.min([(v - c) ** 2 for c in centres], axis=0)
        sums = np.cumsum(squares)
        centres.append(v[np.argmax(sums > stream.uniform() * sums[-1])])
    return np.sort(centres)


STARTS = {"linear": linear_start, "density": density_start, "kmeans++": plus_plus_start}


def lloyd(v, centres):
    """To the end; a centre without values stays where it is."""
    nearest = None
    while True:
        now = np.argmin(np.abs(v[:, None] - centres[None, :]), axis=1)
        if nearest is not None and np.array_equal(now, nearest):
            return centres, nearest
        nearest = now
        centres = np.array([v[nearest == i].mean() if (nearest == i).any() else centres[i] for i in range(len(centres))])


def clustered(w, k, start, mask=None, seed=0, call=0):
    """Centroids in use in rising order, and each weight's (0 where the mask is 0)."""
    kept = np.ones(w.shape, bool) if mask is None else mask.astype(bool)
    centres, nearest = lloyd(w[kept], STARTS[start](w[kept], k, Stream(seed, call)))
    used = np.unique(nearest)
    groups, shared = np.zeros(w.shape, int), np.zeros(w.shape)
    groups[kept] = np.searchsorted(used, nearest)
    shared[kept] = centres[nearest]
    return centres[used], groups, shared


def clusters_case(w, k, start, mask=None, seed=0):
    centroids, groups, shared = clustered(w, k, start, mask, seed)
    entry = {"kind": "clusters", "name": f"{start}, {k} of {w.size}{'' if mask is None else ', masked'}, seed {seed}",
             "weight": given(w), "clusters": k, "start": start, "seed": seed}
    if mask is not None:
        entry["mask"] = whole(mask)
    kept = np.ones(w.shape, bool) if mask is None else mask.astype(bool)
    error = np.sqrt(((shared - w)[kept] ** 2).sum() / (w[kept] ** 2).sum())
    return {**entry, "centroids": computed(centroids), "groups": whole(groups), "shared": computed(shared),
            "relative_error": computed(error)}


def shared_training_case(mask=None):
    """x [N, In] w^T against a target, mean squared error, plain SGD on weights that share values."""
    w, x, target, rate, steps = weights(6, 8), draw(5, 8), draw(5, 6), 0.03125, 5
    _, groups, shared = clustered(w, 5, "linear", mask)
    kept = np.ones(w.shape, bool) if mask is None else mask.astype(bool)
    gradients, losses, first = [], [], None
    value = shared.copy()
    for _ in range(steps):
        difference = x @ value.T - target
        losses.append((difference ** 2).mean())
        gradient = 2 / difference.size * difference.T @ x
        sums = np.zeros(w.shape)
        for g in np.unique(groups[kept]):
            members = kept & (groups == g)
            sums[members] = gradient[members].sum()
        first = sums if first is None else first
        value = value - rate * sums
    entry = {"kind": "shared_training", "name": "plain" if mask is None else "masked", "weight": given(w), "clusters": 5,
             "x": given(x), "target": given(target), "lr": rate, "losses": computed(losses),
             "first_gradient": computed(first), "end": computed(value)}
    if mask is not None:
        entry["mask"] = whole(mask)
    return entry


# ---- pruning --------------------------------------------------------------------------------------------------
def smallest_gone(scores, count):
    mask = np.ones(scores.size, int)
    mask[np.argsort(scores.ravel())[:count]] = 0
    return mask.reshape(scores.shape)


def prune_cases():
    layers = {"fc1.weight": weights(8, 20), "fc2.weight": weights(5, 8) * 2, "conv.weight": weights(4, 3, 3, 4)}
    given_layers = {name: given(w) for name, w in layers.items()}

    def case(name, options, masks):
        return {"kind": "prune", "name": name, "weights": given_layers, **options,
                "masks": {key: whole(mask) for key, mask in masks.items()}}

    for sparsity in (0.25, 0.5, 0.75):
        masks = {name: smallest_gone(np.abs(w), int(sparsity * w.size)) for name, w in layers.items()}
        assert all(sparsity * w.size == int(sparsity * w.size) for w in layers.values())
        yield case(f"layer {sparsity}", {"scope": "layer", "structure": "none", "sparsity": sparsity}, masks)

    # Globally: the magnitudes of all layers in one list.
    rising = np.sort(np.concatenate([np.abs(w).ravel() for w in layers.values()]))
    for sparsity in (0.25, 0.5, 0.75):
        count = int(sparsity * rising.size)
        assert count == sparsity * rising.size and rising[count - 1] < rising[count]
        masks = {name: (np.abs(w) >= rising[count]).astype(int) for name, w in layers.items()}
        yield case(f"global {sparsity}", {"scope": "global", "structure": "none", "sparsity": sparsity}, masks)
    for threshold in (0.05, 0.5):
        masks = {name: (np.abs(w) >= threshold).astype(int) for name, w in layers.items()}
        yield case(f"threshold {threshold}", {"scope": "layer", "structure": "none", "threshold": threshold}, masks)

    # Of every 4 neighbours on the last axis the N largest stay.
    for n in (1, 2):
        masks = {}
        for name, w in layers.items():
            fours = np.abs(w).reshape(-1, 4)
            masks[name] = np.array([smallest_gone(four, 4 - n) for four in fours]).reshape(w.shape)
        yield case(f"{n}:4", {"scope": "layer", "structure": "n_of_m", "n": n, "m": 4}, masks)

    # Blocks of 4 neighbours on the last axis live and die together, by the sum of their magnitudes.
    sparsity = 0.5
    masks = {}
    for name, w in layers.items():
        sums = np.abs(w).reshape(-1, 4).sum(axis=1)
        assert len(np.unique(sums)) == sums.size and sparsity * sums.size == int(sparsity * sums.size)
        masks[name] = np.repeat(smallest_gone(sums, int(sparsity * sums.size)), 4).reshape(w.shape)
    yield case("1x4", {"scope": "layer", "structure": "block", "sparsity": sparsity}, masks)


def schedule_cases():
    """Zhu, Gupta: "To prune, or not to prune", 2017, as the TensorFlow model-optimization toolkit counts steps:
    s = final + (initial - final) (1 - (t - begin) / (end - begin))^power, at begin, begin + frequency, ... end."""
    polynomials = ((10, 50, 8, 0.0, 0.75, 3), (0, 30, 1, 0.25, 0.5, 1), (5, 45, 10, 0.5, 0.875, 2))
    for begin, end, frequency, initial, final, power in polynomials:
        steps = list(range(0, 61))
        due = [begin <= t <= end and (t - begin) % frequency == 0 for t in steps]
        value = [final + (initial - final) * (1 - min(1, max(0, (t - begin) / (end - begin)))) ** power for t in steps]
        yield {"kind": "schedule", "name": f"polynomial {begin} {end} {frequency}", "schedule": "polynomial",
               "begin": begin, "end": end, "frequency": frequency, "initial": initial, "final": final, "power": power,
               "due": [int(d) for d in due], "sparsity": computed(value)}
    begin, end, frequency, final = 4, 40, 6, 0.625
    yield {"kind": "schedule", "name": "constant 4 40 6", "schedule": "constant", "begin": begin, "end": end,
           "frequency": frequency, "initial": final, "final": final,
           "due": [int(begin <= t <= end and (t - begin) % frequency == 0) for t in range(61)],
           "sparsity": computed([final] * 61)}


# ---- distillation ---------------------------------------------------------------------------------------------
def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def distil_case(temperature, alpha, weighted=False):
    """Hinton, Vinyals, Dean: "Distilling the Knowledge in a Neural Network", 2015."""
    n, c = 7, 5
    z, teacher, labels = draw(n, c), draw(n, c, low=-4096, high=4096), rng.integers(0, c, n)
    u = rng.integers(1, 2048, n) / SCALE if weighted else np.ones(n)
    share = u / u.sum()
    p, soft, softened = softmax(z), softmax(z / temperature), softmax(teacher / temperature)
    hard = -(share * np.log(p[np.arange(n), labels])).sum()
    divergence = (share * (softened * (np.log(softened) - np.log(soft))).sum(axis=1)).sum()
    loss = (1 - alpha) * hard + alpha * temperature ** 2 * divergence
    # d hard / dz = p - onehot;  d divergence / dz = (soft - softened) / T.
    gradient = share[:, None] * ((1 - alpha) * (p - np.eye(c)[labels]) + alpha * temperature * (soft - softened))
    entry = {"kind": "distil", "name": f"T {temperature}, alpha {alpha}{', weighted' if weighted else ''}",
             "student": given(z), "teacher": given(teacher), "labels": whole(labels), "temperature": temperature,
             "alpha": alpha, "loss": computed(loss), "gradient": computed(gradient)}
    if weighted:
        entry["weights"] = given(u)
    return entry


def distil_values_case(alpha):
    y, teacher, target = draw(6, 3), draw(6, 3), draw(6, 3)
    loss = (1 - alpha) * ((y - target) ** 2).mean() + alpha * ((y - teacher) ** 2).mean()
    gradient = 2 / y.size * ((1 - alpha) * (y - target) + alpha * (y - teacher))
    return {"kind": "distil_values", "name": f"alpha {alpha}", "student": given(y), "teacher": given(teacher),
            "target": given(target), "alpha": alpha, "loss": computed(loss), "gradient": computed(gradient)}


def make():
    cases = []
    for start in STARTS:
        w = weights(12, 10)
        cases += [clusters_case(w, 4, start), clusters_case(w, 16, start, seed=3)]
        cases += [clusters_case(w, 6, start, smallest_gone(np.abs(w), 72), seed=2**40 + 1)]
    cases += [clusters_case(weights(3, 3, 3, 4), 2, "linear"), clusters_case(weights(7, 9), 32, "density")]
    cases += [shared_training_case(), shared_training_case(rng.integers(0, 2, (6, 8)))]
    cases += [*prune_cases(), *schedule_cases()]
    cases += [distil_case(*options) for options in ((1.0, 0.5), (4.0, 0.75), (2.5, 1.0), (3.0, 0.0), (4.0, 0.25, True))]
    cases += [distil_values_case(alpha) for alpha in (0.0, 0.375, 1.0)]
    lines = ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in cases)
    path = OUT / "compress.json"
    path.write_text(f'{{"made_by":"scripts/make_golden.py with NumPy","cases":[\n{lines}\n]}}\n')
    print(f"{path.name}: {len(cases)} cases, {path.stat().st_size} bytes")
