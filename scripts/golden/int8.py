# SPDX-License-Identifier: Apache-2.0
"""Quantized arithmetic: tests/golden/int8.json, from the formulas of runtime/reference.h in exact fractions.

Written without looking at bits: sums are of w (x - zero) + bias, not folded, and every rounding is
floor(exact + 1/2). Needs NumPy only.
"""
import json
import math
from fractions import Fraction

import numpy as np

from .common import OUT

HALF = Fraction(1, 2)
rng = np.random.default_rng(8)


def nearest(x):
    return math.floor(x + HALF)


def clamp(x, low, high):
    return max(low, min(high, int(x)))


def i16(x):
    return clamp(x, -2**15, 2**15 - 1)


def i8(x):
    return clamp(x, -128, 127)


def multiplier(real):
    """value and shift of the factor value 2^(shift - 31)."""
    mantissa, exponent = math.frexp(real)
    if exponent < -31:
        return [0, 0]
    value = nearest(Fraction(mantissa) * 2**31)
    return [value // 2, exponent + 1] if value == 2**31 else [value, exponent]


def rescale(acc, factor):
    return clamp(nearest(acc * Fraction(factor[0]) * Fraction(2)**(factor[1] - 31)), -2**31, 2**31 - 1)


def put(acc, factor, out):
    return clamp(out[0] + rescale(acc, factor), out[1], out[2])


def draw(*shape, low=-128, high=128):
    return rng.integers(low, high, shape)


def weights(*shape):
    return draw(*shape, low=-127)


def ints(values):
    return np.asarray(values).ravel().tolist()


def rescale_case():
    accs = [0, 1, -1, 3, -3, 2**31 - 1, -2**31, 2**30, 5, -2**31] + ints(draw(190, low=-2**31, high=2**31))
    factors = [multiplier(r) for r in (0.5, 1.0, 0.25, 1e-4, 0.1, 7.0, 2.0**-31, 2.0**29, 1 - 2.0**-40, 1e-12)]
    factors = [factors[i % 10] for i in range(10)] + [multiplier(float(r)) for r in 10.0**rng.uniform(-6, 1, 190)]
    return {"op": "rescale", "x": accs, "factor": factors, "y": [rescale(a, f) for a, f in zip(accs, factors)]}


def dense_case(rows, n, outs, zero, out):
    x, w, bias = draw(rows, n), weights(outs, n), draw(outs, low=-30000, high=30000)
    factor = [multiplier(float(r)) for r in rng.uniform(1e-4, 4e-2, outs)]
    y = [[put(int(np.sum(w[o] * (x[r] - zero)) + bias[o]), factor[o], out) for o in range(outs)] for r in range(rows)]
    return {"op": "dense", "sizes": [rows, n, outs], "zero": zero, "out": out, "x": ints(x), "weight": ints(w),
            "bias": ints(bias), "factor": factor, "y": ints(y)}


def places(size, kernel, stride, dilation, before, after):
    return (size + before + after - (dilation * (kernel - 1) + 1)) // stride + 1


def windows(x, kernel, stride, dilation, pads, fill):
    """[N, H', W', kh, kw, C]"""
    n, h, w, c = x.shape
    top, bottom, left, right = pads
    padded = np.full((n, h + top + bottom, w + left + right, c), fill)
    padded[:, top:top + h, left:left + w] = x
    yh, yw = places(h, kernel[0], stride[0], dilation[0], top, bottom), places(w, kernel[1], stride[1], dilation[1],
                                                                            left, right)
    rows = [[i * stride[0] + r * dilation[0] for r in range(kernel[0])] for i in range(yh)]
    columns = [[j * stride[1] + q * dilation[1] for q in range(kernel[1])] for j in range(yw)]
    return padded[:, np.array(rows)[:, None, :, None], np.array(columns)[None, :, None, :]]


def conv_case(shape, outs, kernel, stride, dilation, pads, groups, zero, out):
    x, of_group = draw(*shape), shape[3] // groups
    w, bias = weights(outs, *kernel, of_group), draw(outs, low=-3000, high=3000)
    factor = [multiplier(float(r)) for r in rng.uniform(1e-3, 3e-2, outs)]
    seen = windows(x, kernel, stride, dilation, pads, zero) - zero
    y = np.zeros((*seen.shape[:3], outs), int)
    for at in np.ndindex(*y.shape):
        first = at[3] // (outs // groups) * of_group
        acc = int(np.sum(seen[at[:3]][..., first:first + of_group] * w[at[3]]) + bias[at[3]])
        y[at] = put(acc, factor[at[3]], out)
    return {"op": "conv2d", "sizes": [*shape, *y.shape[1:], *kernel, groups, *stride, *dilation, pads[0], pads[2]],
            "zero": zero, "out": out, "x": ints(x), "weight": ints(w), "bias": ints(bias), "factor": factor, "y": ints(y)}


def pool_case(op, shape, kernel, stride, pads):
    x = draw(*shape)
    seen = windows(x, kernel, stride, (1, 1), pads, 1000)  # 1000: outside
    y = np.zeros((*seen.shape[:3], shape[3]), int)
    for at in np.ndindex(*y.shape):
        inside = [int(v) for v in seen[at[:3]][..., at[3]].ravel() if v != 1000]
        mean = Fraction(sum(inside), len(inside))
        away = math.copysign(1, mean) * math.floor(abs(mean) + HALF)
        y[at] = max(inside) if op == "max_pool2d" else int(away)
    return {"op": op, "sizes": [*shape, *y.shape[1:3], *kernel, *stride, pads[0], pads[2]], "x": ints(x), "y": ints(y)}


def sum_case(op, scales, zeros, out):
    a, b, larger = draw(100), draw(100), max(scales[:2])
    factors = [multiplier(scales[0] / (2 * larger)), multiplier(scales[1] / (2 * larger)),
               multiplier(2 * larger / (2**20 * scales[2]))]
    sign = 1 if op == "add" else -1
    y = [put(rescale((int(p) - zeros[0]) * 2**20, factors[0]) + sign * rescale((int(q) - zeros[1]) * 2**20, factors[1]),
             factors[2], out) for p, q in zip(a, b)]
    real = [out[0] + (scales[0] * (int(p) - zeros[0]) + sign * scales[1] * (int(q) - zeros[1])) / scales[2]
            for p, q in zip(a, b)]
    assert all(abs(v - clamp(nearest(Fraction(r)), out[1], out[2])) <= 1 for v, r in zip(y, real))
    return {"op": op, "zeros": zeros, "out": out, "a": ints(a), "b": ints(b), "factor": factors, "y": y}


def mul_case(zeros, real, out):
    a, b, factor = draw(100), draw(100), multiplier(real)
    y = [put((int(p) - zeros[0]) * (int(q) - zeros[1]), factor, out) for p, q in zip(a, b)]
    return {"op": "mul", "zeros": zeros, "out": out, "a": ints(a), "b": ints(b), "factor": [factor], "y": y}


def requantize_case(zero, real, out):
    x, factor = draw(100), multiplier(real)
    y = [put(int(v) - zero, factor, out) for v in x]
    return {"op": "requantize", "zero": zero, "out": out, "x": ints(x), "factor": [factor], "y": y}


def softmax_case(outer, size, inner, scale):
    table = [nearest(Fraction(2**23 * math.exp(-k * scale))) for k in range(256)]
    x = draw(outer, size, inner)
    y = np.zeros_like(x)
    for n, i in np.ndindex(outer, inner):
        e = [table[int(x[n, :, i].max()) - int(v)] for v in x[n, :, i]]
        y[n, :, i] = [min(127, (256 * v + sum(e) // 2) // sum(e) - 128) for v in e]
    return {"op": "softmax", "sizes": [outer, size, inner], "table": table, "x": ints(x), "y": ints(y)}


def gate_table(function):
    return [i16(nearest(Fraction(function((k - 256) / 16)) * 2**15)) for k in range(513)]


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


SIGMOID, TANH = gate_table(sigmoid), gate_table(math.tanh)


def gate(table, x):
    at = Fraction(x + 2**15, 128)
    k = math.floor(at)
    return nearest(table[k] + (at - k) * (table[k + 1] - table[k]))


def gates_case():
    x = [-2**15, 2**15 - 1, 0, -1, 1] + ints(draw(95, low=-2**15, high=2**15))
    return {"op": "gate", "sigmoid": SIGMOID, "tanh": TANH, "x": x, "y_sigmoid": [gate(SIGMOID, v) for v in x],
            "y_tanh": [gate(TANH, v) for v in x]}


class Layer:
    """Random weights of a recurrent layer, and its gates' inputs in integers and in real numbers."""

    def __init__(self, gates, steps, n, units):
        self.units, self.x, self.zero, self.x_scale = units, draw(steps, n), int(draw(1)[0] // 4), 0.02
        self.wx, self.wh = weights(gates * units, n), weights(gates * units, units)
        self.sx, self.sh = rng.uniform(2e-3, 6e-3, gates * units), rng.uniform(2e-3, 6e-3, gates * units)
        self.fx = [multiplier(self.x_scale * s * 2**11) for s in self.sx]
        self.fh = [multiplier(s * 2**4) for s in self.sh]
        self.bias, self.bias_h = draw(gates * units, low=-2000, high=2000), draw(units, low=-2000, high=2000)

    def from_x(self, t, r):
        return rescale(int(np.sum(self.wx[r] * (self.x[t] - self.zero))), self.fx[r])

    def from_h(self, h, r):
        return rescale(int(np.sum(self.wh[r] * np.array(h))), self.fh[r])

    def real_x(self, t, r):
        return self.x_scale * self.sx[r] * float(np.sum(self.wx[r] * (self.x[t] - self.zero))) + self.bias[r] / 2**11

    def real_h(self, h, r):
        return self.sh[r] * float(np.sum(self.wh[r] * np.array(h)))

    def entry(self, op, y, real, **more):
        assert max(abs(q / 128 - v) for q, v in zip(y, real)) < 0.03, "integers are far from real numbers"
        return {"op": op, "sizes": [*self.x.shape, self.units], "zero": self.zero, "x": ints(self.x),
                "weight_x": ints(self.wx), "weight_h": ints(self.wh), "factor": self.fx, "factor_h": self.fh,
                "bias": ints(self.bias), "y": y, **more}


def lstm_case(steps, n, units, m):
    v, h, c, y = Layer(4, steps, n, units), [0] * units, [0] * units, []
    rh, rc, real = [0.0] * units, [0.0] * units, []
    for t in range(steps):
        a = [i16(v.from_x(t, r) + v.from_h(h, r) + v.bias[r]) for r in range(4 * units)]
        i, f, g, o = ([gate(TANH if k == 2 else SIGMOID, u) for u in a[k * units:(k + 1) * units]] for k in range(4))
        c = [i16(nearest(Fraction(f[k] * c[k], 2**15)) + nearest(Fraction(i[k] * g[k], 2**(15 + m)))) for k in range(units)]
        h = [i8(nearest(Fraction(o[k] * gate(TANH, i16(nearest(Fraction(c[k], 2**(4 - m))))), 2**23)))
             for k in range(units)]
        y += h
        a = [v.real_x(t, r) + v.real_h(rh, r) for r in range(4 * units)]
        rc = [sigmoid(a[units + k]) * rc[k] + sigmoid(a[k]) * math.tanh(a[2 * units + k]) for k in range(units)]
        rh = [sigmoid(a[3 * units + k]) * math.tanh(rc[k]) for k in range(units)]
        real += rh
    return v.entry("lstm", y, real, cell_bits=m, c=c)


def gru_case(steps, n, units):
    v, h, y = Layer(3, steps, n, units), [0] * units, []
    rh, real = [0.0] * units, []
    for t in range(steps):
        q = [i8(nearest(Fraction(s, 2**8))) for s in h]
        r, z = ([gate(SIGMOID, i16(v.from_x(t, k) + v.from_h(q, k) + v.bias[k])) for k in range(b, b + units)]
                for b in (0, units))
        new = []
        for k in range(units):
            kept = nearest(Fraction(r[k] * i16(v.from_h(q, 2 * units + k) + v.bias_h[k]), 2**15))
            new.append(gate(TANH, i16(v.from_x(t, 2 * units + k) + v.bias[2 * units + k] + kept)))
        h = [i16(new[k] + nearest(Fraction(z[k] * (h[k] - new[k]), 2**15))) for k in range(units)]
        y += [i8(nearest(Fraction(s, 2**8))) for s in h]
        rr, rz = ([sigmoid(v.real_x(t, k) + v.real_h(rh, k)) for k in range(b, b + units)] for b in (0, units))
        rn = [math.tanh(v.real_x(t, 2 * units + k) + rr[k] * (v.real_h(rh, 2 * units + k) + v.bias_h[k] / 2**11))
              for k in range(units)]
        rh = [rn[k] + rz[k] * (rh[k] - rn[k]) for k in range(units)]
        real += rh
    return v.entry("gru", y, real, bias_h=ints(v.bias_h), h=h)


def make():
    full, relu = [3, -128, 127], [-128, -128, 127]
    cases = [
        rescale_case(),
        dense_case(3, 40, 7, -5, full), dense_case(1, 300, 5, 127, relu), dense_case(2, 1, 3, -128, [0, -20, 20]),
        conv_case((2, 5, 6, 4), 6, (3, 3), (1, 1), (1, 1), (1, 1, 1, 1), 1, -7, full),
        conv_case((1, 7, 8, 4), 4, (3, 2), (2, 1), (1, 2), (1, 0, 2, 1), 2, 100, relu),
        conv_case((1, 6, 6, 5), 5, (3, 3), (2, 2), (1, 1), (0, 1, 0, 1), 5, -128, full),
        conv_case((1, 4, 5, 3), 10, (1, 1), (1, 1), (1, 1), (0, 0, 0, 0), 1, 0, full),
        pool_case("max_pool2d", (2, 5, 6, 3), (2, 3), (2, 1), (0, 1, 1, 1)),
        pool_case("avg_pool2d", (2, 5, 6, 3), (2, 3), (2, 1), (0, 1, 1, 1)),
        pool_case("avg_pool2d", (1, 4, 4, 8), (2, 2), (2, 2), (0, 0, 0, 0)),
        sum_case("add", (0.02, 0.05, 0.06), (-10, 20), full), sum_case("sub", (0.7, 0.001, 0.3), (0, -128), relu),
        mul_case((5, -90), 0.004, full), mul_case((0, 0), 0.0101, [0, 0, 127]),
        requantize_case(-20, 0.37, full), requantize_case(0, 2.5, [-50, -128, 127]),
        softmax_case(3, 10, 2, 0.1), softmax_case(2, 3, 1, 1.5), softmax_case(1, 400, 1, 0.01), gates_case(),
        lstm_case(6, 5, 4, 0), lstm_case(9, 3, 5, 3), lstm_case(4, 2, 3, 4), gru_case(6, 5, 4), gru_case(9, 3, 5),
    ]
    lines = ",\n".join(json.dumps(case, separators=(",", ":"), default=int) for case in cases)
    path = OUT / "int8.json"
    path.write_text(f'{{"made_by":"scripts/make_golden.py int8 with NumPy {np.__version__}","cases":[\n{lines}\n]}}\n')
    print(f"{path.name}: {len(cases)} cases, {path.stat().st_size} bytes")
