# SPDX-License-Identifier: Apache-2.0
"""What every family of golden values shares.

Inputs are whole numbers over 1024, so that f32, f64 and the file hold the same values. Layouts are converted to
ours: images NCHW -> NHWC, convolution weights OIHW -> OHWI. `same` is written out as explicit padding here.
"""
import json
import pathlib

import numpy as np
import torch

OUT = pathlib.Path(__file__).resolve().parent.parent.parent / "tests" / "golden"
SCALE = 1024
torch.set_default_dtype(torch.float64)


def given(t):
    """A tensor of inputs."""
    numbers = t.detach().numpy()
    if t.dtype == torch.int64:
        return {"shape": list(t.shape), "labels": numbers.ravel().tolist()}
    scaled = numbers.ravel() * SCALE
    assert np.array_equal(scaled, np.round(scaled))
    return {"shape": list(t.shape), "over_1024": [int(v) for v in scaled]}


def computed(t):
    """A tensor of results: 11 digits for values of order one."""
    return {"shape": list(t.shape), "values": [float(f"{v:.11g}") for v in t.detach().numpy().ravel()]}


def nchw(t):
    return t.permute(0, 3, 1, 2)


def nhwc(t):
    return t.permute(0, 2, 3, 1)


def same_padding(n, kernel, stride, dilation):
    reach = dilation * (kernel - 1) + 1
    total = max((-(-n // stride) - 1) * stride + reach - n, 0)
    return total // 2, total - total // 2


def explicit(padding, shape, kernel, stride, dilation):
    """top, bottom, left, right."""
    if padding == "same":
        return (*same_padding(shape[1], kernel[0], stride[0], dilation[0]),
                *same_padding(shape[2], kernel[1], stride[1], dilation[1]))
    return padding


def padded(x, p, value=0.0):
    return torch.nn.functional.pad(nchw(x), (p[2], p[3], p[0], p[1]), value=value)


class Golden:
    """The cases of one file of tests/golden/, drawn from one seed: adding to a family leaves the others alone."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.cases = []

    def draw(self, *shape, low=-2048, high=2048):
        return torch.tensor(self.rng.integers(low, high, shape) / SCALE)

    def distinct(self, *shape):
        """No two values are equal: maxima have no ties, absolute values no kinks."""
        n = int(np.prod(shape))
        return torch.tensor((self.rng.permutation(n).reshape(shape) - n // 2 + 0.5) * 8 / SCALE)

    def case(self, op, name, function, inputs, attributes=None, constants=None):
        """Runs function(inputs), and backward with dL/dy drawn at random."""
        leaves = {key: value.clone().requires_grad_(True) for key, value in inputs.items()}
        y = function(**leaves, **(constants or {}))
        dy = self.draw(*y.shape)
        y.backward(dy)
        self.cases.append({
            "op": op, "name": name, "attributes": attributes or {},
            "inputs": {key: given(value) for key, value in {**inputs, **(constants or {})}.items()},
            "dy": given(dy), "y": computed(y),
            "gradients": {key: computed(leaf.grad) for key, leaf in leaves.items()}})

    def write(self, name):
        write(name, self.cases)


def write(name, entries):
    lines = ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in entries)
    path = OUT / name
    path.write_text(f'{{"made_by":"scripts/make_golden.py with PyTorch {torch.__version__}","cases":[\n{lines}\n]}}\n')
    print(f"{path.name}: {len(entries)} cases, {path.stat().st_size} bytes")
