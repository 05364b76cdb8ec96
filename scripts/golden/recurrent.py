# SPDX-License-Identifier: Apache-2.0
"""RNN, GRU and LSTM, both directions at once, and twenty steps of training: recurrent.json, bidirectional.json,
recurrent_trajectory.json.

PyTorch has two biases where ours is one, of rnn, lstm and the gates r and z of gru: a constant part of ours goes
into its second. Its gates are in our order.
"""
import torch
import torch.nn.functional as F
from torch import _VF

from .common import Golden, computed, given, write

golden = Golden(seed=31)
draw, case = golden.draw, golden.case
GATES = {"rnn": 1, "gru": 3, "lstm": 4}
STEPS = 20


def biases(op, bias, bias_h, second):
    if op == "gru":
        units = bias_h.shape[0]
        return torch.cat([bias[:2 * units] - second, bias[2 * units:]]), torch.cat([second, bias_h])
    return bias - second, second


def run(op, second, sequence, reverse, cell_row, relu, x, weight_x, weight_h, bias, bias_h=None, h=None, c=None):
    if reverse:
        x = x.flip(1)
    zeros = torch.zeros(x.shape[0], weight_h.shape[1])
    start = [(zeros if state is None else state)[None] for state in (h, c)]
    weights = [weight_x, weight_h, *biases(op, bias, bias_h, second)]
    rest = (weights, True, 1, 0.0, False, False, True)
    if op == "lstm":
        y, _, last = _VF.lstm(x, start, *rest)
    else:
        y, _ = {"gru": _VF.gru, "rnn": _VF.rnn_relu if relu else _VF.rnn_tanh}[op](x, start[0], *rest)
    if sequence and reverse:
        y = y.flip(1)
    if not sequence:
        y = y[:, -1:]
    if cell_row:
        return torch.cat([y, last[0][:, None]], 1)
    return y if sequence else y[:, 0]


def recurrent(op, name, n, steps, channels, units, states=False, sequence=True, reverse=False, cell_row=False,
              relu=False):
    rows = GATES[op] * units
    size = int(1024 / units ** 0.5)
    inputs = {"x": draw(n, steps, channels), "weight_x": draw(rows, channels, low=-1024, high=1024),
              "weight_h": draw(rows, units, low=-size, high=size), "bias": draw(rows, low=-512, high=512)}
    if op == "gru":
        inputs["bias_h"] = draw(units, low=-512, high=512)
    if states:
        inputs["h"] = draw(n, units, low=-1024, high=1024)
    if states and op == "lstm":
        inputs["c"] = draw(n, units)
    second = draw(2 * units if op == "gru" else rows)
    case(op, f"{op}, {name}", lambda **t: run(op, second, sequence, reverse, cell_row, relu, **t), inputs,
         {"sequence": sequence, "reverse": reverse, "cell_row": cell_row, "relu": relu})


def make_ops():
    for op in ("rnn", "gru", "lstm"):
        recurrent(op, "odd sizes", 3, 5, 7, 9)
        recurrent(op, "batch 1, states", 1, 4, 3, 5, states=True)
        recurrent(op, "one step", 2, 1, 4, 3, states=True)
        recurrent(op, "one unit, the last", 5, 3, 1, 1, sequence=False)
        recurrent(op, "reverse", 2, 6, 2, 4, states=True, reverse=True)
        recurrent(op, "reverse, the last", 2, 4, 3, 17, sequence=False, reverse=True)
    recurrent("rnn", "relu", 3, 4, 5, 6, states=True, relu=True)
    recurrent("lstm", "the last c", 2, 5, 3, 6, states=True, cell_row=True)
    recurrent("lstm", "only the last h and c", 3, 4, 2, 5, sequence=False, cell_row=True)
    recurrent("lstm", "the last c, reverse", 1, 3, 2, 7, states=True, reverse=True, cell_row=True)


def bidirectional():
    """PyTorch's own bidirectional form; ours are two layers, named forward and backward."""
    both = Golden(seed=32)

    def run_both(op, sequence, x, **t):
        rows, units = t["forward_weight_h"].shape
        weights = []
        for side in ("forward", "backward"):
            second = torch.zeros(2 * units if op == "gru" else rows)
            weights += [t[f"{side}_weight_x"], t[f"{side}_weight_h"],
                        *biases(op, t[f"{side}_bias"], t.get(f"{side}_bias_h"), second)]
        start = torch.zeros(2, x.shape[0], units)
        function = {"rnn": _VF.rnn_tanh, "gru": _VF.gru, "lstm": _VF.lstm}[op]
        y = function(x, (start, start) if op == "lstm" else start, weights, True, 1, 0.0, False, True, True)[0]
        return y if sequence else torch.cat([y[:, -1, :units], y[:, 0, units:]], 1)

    for op in ("rnn", "gru", "lstm"):
        for (n, steps, channels, units), sequence in (((3, 5, 4, 7), True), ((1, 3, 2, 5), False), ((2, 1, 3, 1), True)):
            rows, inputs = GATES[op] * units, {"x": both.draw(n, steps, channels)}
            for side in ("forward", "backward"):
                inputs[f"{side}_weight_x"] = both.draw(rows, channels, low=-1024, high=1024)
                inputs[f"{side}_weight_h"] = both.draw(rows, units, low=-512, high=512)
                inputs[f"{side}_bias"] = both.draw(rows, low=-512, high=512)
                if op == "gru":
                    inputs[f"{side}_bias_h"] = both.draw(units, low=-512, high=512)
            name = f"{op}, {[n, steps, channels]} -> {units}{', sequences' if sequence else ''}"
            both.case(op, name, lambda **t: run_both(op, sequence, **t), inputs, {"sequence": sequence})
    both.write("bidirectional.json")


def trajectory():
    """LSTM 3 -> 6 and Dense 6 -> 2, mean squared error, Adam."""
    start = {"0.weight_x": draw(24, 3, low=-500, high=500), "0.weight_h": draw(24, 6, low=-400, high=400),
             "0.bias": draw(24, low=-200, high=200), "1.weight": draw(2, 6, low=-500, high=500),
             "1.bias": draw(2, low=-100, high=100)}
    x, target, options = draw(4, 7, 3), draw(4, 2), {"lr": 0.03125}
    leaves = {key: value.clone().requires_grad_(True) for key, value in start.items()}
    optimizer, losses = torch.optim.Adam(list(leaves.values()), **options), []
    for _ in range(STEPS):
        optimizer.zero_grad()
        h = run("lstm", torch.zeros(24), False, False, False, False, x, leaves["0.weight_x"], leaves["0.weight_h"],
                leaves["0.bias"])
        loss = F.mse_loss(F.linear(h, leaves["1.weight"], leaves["1.bias"]), target)
        loss.backward()
        optimizer.step()
        losses.append(loss)
    write("recurrent_trajectory.json", [{
        "name": "lstm, Adam", "loss": "mse", "optimizer": "Adam", "options": options, "x": given(x),
        "target": given(target), "start": {key: given(value) for key, value in start.items()},
        "losses": computed(torch.stack(losses)), "end": {key: computed(leaf) for key, leaf in leaves.items()}}])


def make():
    make_ops()
    golden.write("recurrent.json")
    bidirectional()
    trajectory()
