# SPDX-License-Identifier: Apache-2.0
"""Ops of the foundation, and training trajectories: ops.json, trajectories.json."""
import numpy as np
import torch
import torch.nn.functional as F

from .common import SCALE, Golden, computed, explicit, given, nchw, nhwc, padded, write

golden = Golden(seed=20)
rng, draw, distinct, case = golden.rng, golden.draw, golden.distinct, golden.case


def conv(name, shape, out, kernel=(3, 3), stride=(1, 1), dilation=(1, 1), padding=(0, 0, 0, 0), groups=1, bias=True):
    p = explicit(padding, shape, kernel, stride, dilation)

    def run(x, weight, bias=None):
        return nhwc(F.conv2d(padded(x, p), nchw(weight), bias, stride, 0, dilation, groups))

    inputs = {"x": draw(*shape), "weight": draw(out, *kernel, shape[3] // groups)}
    if bias:
        inputs["bias"] = draw(out)
    case("conv2d", name, run, inputs, {"stride": stride, "dilation": dilation, "padding": padding, "groups": groups})


def pools(name, shape, kernel=(2, 2), stride=None, padding=(0, 0, 0, 0)):
    stride = stride or kernel
    p = explicit(padding, shape, kernel, stride, (1, 1))
    attributes = {"kernel": kernel, "stride": stride, "padding": padding}

    def largest(x):
        return nhwc(F.max_pool2d(padded(x, p, -np.inf), kernel, stride))

    def mean(x):
        if p == (p[0], p[0], p[2], p[2]):
            return nhwc(F.avg_pool2d(nchw(x), kernel, stride, (p[0], p[2]), count_include_pad=False))
        valid = F.avg_pool2d(padded(torch.ones_like(x), p), kernel, stride)  # share of the window inside x
        return nhwc(F.avg_pool2d(padded(x, p), kernel, stride) / valid)

    case("max_pool2d", "max pool " + name, largest, {"x": distinct(*shape)}, attributes)
    case("avg_pool2d", "avg pool " + name, mean, {"x": draw(*shape)}, attributes)


def soft_labels(*shape):
    """Rows of multiples of 1/1024 that sum to one."""
    rows = rng.multinomial(SCALE, np.ones(shape[-1]) / shape[-1], size=shape[:-1])
    return torch.tensor(rows / SCALE)


def channels_second(logits):
    return logits.movedim(-1, 1) if logits.dim() > 2 else logits


def make_ops():
    dense = lambda x, weight, bias=None: F.linear(x, weight, bias)
    case("dense", "dense", dense, {"x": draw(5, 7), "weight": draw(4, 7), "bias": draw(4)})
    case("dense", "dense without bias, batch 1", dense, {"x": draw(1, 19), "weight": draw(3, 19)})
    case("dense", "dense on [N, T, in]", dense, {"x": draw(2, 3, 6), "weight": draw(5, 6), "bias": draw(5)})
    case("dense", "dense to one output", dense, {"x": draw(33, 1), "weight": draw(1, 1), "bias": draw(1)})

    conv("conv valid, batch 1", (1, 5, 7, 2), 3)
    conv("conv valid, odd sizes", (3, 9, 6, 3), 5)
    conv("conv without bias", (2, 5, 5, 2), 2, bias=False)
    conv("conv stride 2", (2, 8, 7, 2), 3, stride=(2, 2))
    conv("conv stride 2x3, kernel 3x2", (1, 8, 9, 2), 3, kernel=(3, 2), stride=(2, 3))
    conv("conv dilation 2", (2, 7, 8, 2), 3, dilation=(2, 2))
    conv("conv dilation 1x3, stride 2x1", (1, 6, 9, 1), 2, stride=(2, 1), dilation=(1, 3))
    conv("conv 1x1", (2, 3, 5, 4), 3, kernel=(1, 1))
    conv("conv 1x1 stride 2", (2, 5, 4, 3), 4, kernel=(1, 1), stride=(2, 2))
    conv("conv 1x5", (2, 3, 8, 2), 3, kernel=(1, 5))
    conv("conv kernel as large as the input", (2, 4, 3, 2), 5, kernel=(4, 3))
    conv("conv same", (2, 5, 6, 2), 3, padding="same")
    conv("conv same, even kernel", (1, 5, 6, 2), 3, kernel=(2, 4), padding="same")
    conv("conv same, stride 2, even size", (1, 8, 6, 2), 2, stride=(2, 2), padding="same")
    conv("conv same, stride 3, dilation 2", (1, 8, 10, 2), 2, stride=(3, 3), dilation=(2, 2), padding="same")
    conv("conv same, stride larger than the kernel", (1, 7, 7, 2), 2, kernel=(1, 1), stride=(3, 3), padding="same")
    conv("conv padding 1", (2, 4, 5, 2), 3, padding=(1, 1, 1, 1))
    conv("conv padding 1/2/0/1", (2, 4, 5, 2), 3, padding=(1, 2, 0, 1))
    conv("conv padding 2, stride 2, dilation 2", (1, 6, 7, 2), 2, stride=(2, 2), dilation=(2, 2), padding=(2, 2, 2, 2))
    conv("conv groups 2", (2, 5, 5, 4), 6, groups=2)
    conv("conv groups 3, stride 2, same", (1, 7, 6, 6), 3, stride=(2, 2), groups=3, padding="same")
    conv("conv depthwise", (2, 5, 6, 5), 5, groups=5, padding="same")
    conv("conv depthwise, two outputs a channel", (1, 6, 5, 3), 6, groups=3, stride=(2, 2))

    pools("2", (2, 4, 6, 3))
    pools("2, odd size, batch 1", (1, 5, 7, 2))
    pools("3, stride 2", (2, 7, 8, 2), (3, 3), (2, 2))
    pools("3, stride 1, same", (1, 5, 4, 3), (3, 3), (1, 1), "same")
    pools("2, stride 2, same, odd size", (1, 5, 7, 2), (2, 2), (2, 2), "same")
    pools("3x2, stride 2x3, padding 1/1/0/0", (2, 6, 8, 2), (3, 2), (2, 3), (1, 1, 0, 0))
    pools("3, padding 2/1/0/2", (1, 5, 6, 2), (3, 3), (2, 2), (2, 1, 0, 2))
    pools("stride larger than the kernel", (1, 7, 7, 1), (2, 2), (3, 3))

    for axis in (-1, 0, 1):
        case("softmax", f"softmax over axis {axis}", lambda x: F.softmax(x, axis), {"x": draw(3, 4, 5)}, {"axis": axis})
        case("log_softmax", f"log_softmax over axis {axis}", lambda x: F.log_softmax(x, axis), {"x": draw(3, 4, 5)},
             {"axis": axis})
    case("softmax", "softmax of large inputs", lambda x: F.softmax(x, -1), {"x": draw(2, 6) * 64}, {"axis": -1})

    def entropy(logits, target, **options):
        if target.dtype == torch.int64:
            return F.cross_entropy(channels_second(logits), target, **options)
        return F.cross_entropy(channels_second(logits), channels_second(target), **options)

    for shape in ((1, 2), (7, 10), (2, 3, 5)):
        labels = torch.tensor(rng.integers(0, shape[-1], shape[:-1]))
        case("cross_entropy", f"cross_entropy of labels, {list(shape)}", entropy, {"logits": draw(*shape)},
             constants={"target": labels})
        rows = {"logits": draw(*shape)}
        target = soft_labels(*shape)
        case("cross_entropy", f"cross_entropy of soft labels, {list(shape)}", entropy, rows,
             constants={"target": target})
        weights = draw(shape[-1], low=100, high=3000)
        for smoothing, weight in ((0.125, None), (0.0, weights), (0.25, weights)):
            options = {"label_smoothing": smoothing}
            constants = {"target": labels} if weight is None else {"target": labels, "weight": weight}
            name = f"CrossEntropy, smoothing {smoothing}{'' if weight is None else ', weights'}, {list(shape)}"
            case("CrossEntropy", name, lambda logits, target, weight=None: entropy(
                logits, target, weight=weight, label_smoothing=smoothing), {"logits": draw(*shape)}, options, constants)
            constants = {**constants, "target": target}
            case("CrossEntropy", name + ", soft labels", lambda logits, target, weight=None: entropy(
                logits, target, weight=weight, label_smoothing=smoothing), {"logits": draw(*shape)}, options, constants)

    for shape in ((1,), (5, 3), (2, 3, 4)):
        pair = {"prediction": distinct(*shape), "target": draw(*shape)}
        case("mse", f"mse, {list(shape)}", lambda prediction, target: F.mse_loss(prediction, target), pair)
        pair = {"prediction": distinct(*shape), "target": draw(*shape)}
        case("mae", f"mae, {list(shape)}", lambda prediction, target: F.l1_loss(prediction, target), pair)
        case("bce_with_logits", f"bce_with_logits, {list(shape)}",
             lambda logits, target: F.binary_cross_entropy_with_logits(logits, target),
             {"logits": draw(*shape) * 8}, constants={"target": draw(*shape, low=0, high=1025)})


# ---- trajectories: 20 steps of training -------------------------------------------------------------------------
STEPS = 20
trajectories = []


def trajectory(name, parameters, forward, loss, loss_name, target, x, optimizer_name, options):
    leaves = {key: value.clone().requires_grad_(True) for key, value in parameters.items()}
    make = {"SGD": torch.optim.SGD, "Adam": torch.optim.Adam}[optimizer_name]
    optimizer = make(list(leaves.values()), **options)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        value = loss(forward(x, leaves), target)
        value.backward()
        optimizer.step()
        losses.append(value)
    trajectories.append({
        "name": name, "loss": loss_name, "optimizer": optimizer_name, "options": options,
        "x": given(x), "target": given(target), "start": {key: given(value) for key, value in parameters.items()},
        "losses": computed(torch.stack(losses)), "end": {key: computed(leaf) for key, leaf in leaves.items()}})


def mlp(x, p):
    hidden = torch.tanh(F.linear(x, p["fc1.weight"], p["fc1.bias"]))
    return F.linear(hidden, p["fc2.weight"], p["fc2.bias"])


def mlp_start(outputs):
    return {"fc1.weight": draw(8, 6, low=-700, high=700), "fc1.bias": draw(8, low=-200, high=200),
            "fc2.weight": draw(outputs, 8, low=-700, high=700), "fc2.bias": draw(outputs, low=-200, high=200)}


LOSSES = {
    "cross_entropy": F.cross_entropy, "mse": F.mse_loss, "mae": F.l1_loss,
    "bce_with_logits": F.binary_cross_entropy_with_logits}


def make_trajectories():
    runs = [
        ("SGD", {"lr": 0.5}), ("SGD", {"lr": 0.1, "momentum": 0.9}),
        ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}), ("SGD", {"lr": 0.25, "weight_decay": 0.125}),
        ("SGD", {"lr": 0.25, "momentum": 0.75, "dampening": 0.25}),
        ("SGD", {"lr": 0.0625, "momentum": 0.875, "weight_decay": 0.0625, "nesterov": True}),
        ("Adam", {"lr": 0.0625}), ("Adam", {"lr": 0.03125, "weight_decay": 0.25}),
        ("Adam", {"lr": 0.125, "betas": [0.75, 0.875], "eps": 0.0009765625})]
    targets = {
        "cross_entropy": torch.tensor(rng.integers(0, 3, (11,))), "mse": draw(11, 3), "mae": draw(11, 3),
        "bce_with_logits": draw(11, 3, low=0, high=1025)}
    for i, (optimizer, options) in enumerate(runs):
        trajectory(f"mlp {i}: {optimizer} {options}", mlp_start(3), mlp, F.cross_entropy, "cross_entropy",
                   targets["cross_entropy"], draw(11, 6), optimizer, options)
    for loss, target in {**targets, "cross_entropy": soft_labels(11, 3)}.items():
        trajectory(f"mlp, {loss}", mlp_start(3), mlp, LOSSES[loss], loss, target, draw(11, 6), "SGD",
                   {"lr": 0.125, "momentum": 0.5})

    def cnn(x, p):
        x = F.relu(F.conv2d(nchw(x), nchw(p["0.weight"]), p["0.bias"]))                        # [4, 9, 8, 2] -> 7x6x4
        x = F.max_pool2d(x, 2, 1)                                                              # -> 6x5x4
        x = F.conv2d(F.pad(x, (1, 1, 0, 1)), nchw(p["3.weight"]), p["3.bias"], (2, 2), groups=2)  # same -> 3x3x6
        x = F.conv2d(F.pad(torch.tanh(x), (2, 2, 2, 2)), nchw(p["5.weight"]), None, 1, 0, 2)   # dilation 2 -> 3x3x3
        x = F.avg_pool2d(x, 2, 1)                                                              # -> 2x2x3
        return F.linear(nhwc(x).flatten(1), p["8.weight"], p["8.bias"])

    start = {"0.weight": draw(4, 3, 3, 2, low=-400, high=400), "0.bias": draw(4, low=-99, high=99),
             "3.weight": draw(6, 3, 3, 2, low=-400, high=400), "3.bias": draw(6, low=-99, high=99),
             "5.weight": draw(3, 3, 3, 6, low=-300, high=300),
             "8.weight": draw(5, 12, low=-600, high=600), "8.bias": draw(5, low=-99, high=99)}
    labels = torch.tensor(rng.integers(0, 5, (4,)))
    x = draw(4, 9, 8, 2)
    trajectory("cnn, SGD", start, cnn, F.cross_entropy, "cross_entropy", labels, x, "SGD",
               {"lr": 0.0625, "momentum": 0.75})
    trajectory("cnn, Adam", start, cnn, F.cross_entropy, "cross_entropy", labels, x, "Adam", {"lr": 0.0078125})


def make():
    make_ops()
    make_trajectories()
    golden.write("ops.json")
    write("trajectories.json", trajectories)
