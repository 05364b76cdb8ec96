# SPDX-License-Identifier: Apache-2.0
"""Activations, normalisation and embedding: tests/golden/norm.json; training with batch-norm:
tests/golden/norm_trajectories.json."""
import torch
import torch.nn.functional as F

from .common import Golden, computed, given, nchw, nhwc, write

golden = Golden(40)
draw = golden.draw
STEPS = 20


def odd(*shape, low=-4096, high=4096):
    """Odd numbers over 1024, which are no kinks: not 0, 3 or 6."""
    return torch.tensor((2 * golden.rng.integers(low, high, shape) + 1) / 1024)


def channels_second(x):
    return x.movedim(-1, 1)


def activations():
    functions = {"relu6": F.relu6, "hard_swish": F.hardswish, "silu": F.silu, "gelu": F.gelu, "softplus": F.softplus}
    for op, function in functions.items():
        golden.case(op, op, lambda x: function(x), {"x": odd(3, 19)})
    golden.case("softplus", "softplus of large inputs", lambda x: F.softplus(x), {"x": odd(1, 9) * 8})
    for alpha in (1.0, 0.3):
        golden.case("elu", f"elu, alpha {alpha}", lambda x: F.elu(x, alpha), {"x": odd(2, 13)}, {"alpha": alpha})
    for shape in ((1, 5), (3, 7, 5), (2, 3, 3, 5)):
        prelu = lambda x, weight: channels_second(F.prelu(channels_second(x), weight)) if x.dim() == 2 else \
            F.prelu(channels_second(x), weight).movedim(1, -1)
        golden.case("prelu", f"prelu, {list(shape)}", prelu, {"x": odd(*shape), "weight": draw(5)})
        golden.case("prelu", f"prelu, one slope, {list(shape)}", prelu, {"x": odd(*shape), "weight": draw(1)})


def batch_norms():
    for shape, training in (((7, 5), True), ((2, 3), True), ((3, 11, 4), True), ((2, 5, 3, 6), True), ((1, 4, 5, 3), True),
                            ((33, 1), True), ((1, 5), False), ((2, 5, 3, 6), False)):
        channels = shape[-1]
        constants = {"running_mean": draw(channels), "running_var": draw(channels, low=512, high=2048)}
        for affine in (True, False):
            mean, var = constants["running_mean"].clone(), constants["running_var"].clone()

            def run(x, running_mean, running_var, weight=None, bias=None):
                y = F.batch_norm(channels_second(x), mean, var, weight, bias, training, 0.1, 1e-5)
                return y.movedim(1, -1)

            inputs = {"x": draw(*shape)}
            if affine:
                inputs.update(weight=draw(channels), bias=draw(channels))
            name = f"batch_norm {list(shape)}{'' if training else ', running statistics'}{'' if affine else ', plain'}"
            golden.case("batch_norm", name, run, inputs,
                        {"training": training, "eps": 1e-5, "momentum": 0.1}, constants)
            golden.cases[-1]["attributes"]["after"] = {"running_mean": computed(mean), "running_var": computed(var)}


def other_norms():
    for shape, groups in (((1, 4, 6), 3), ((3, 5, 7, 8), 2), ((2, 9, 6), 1), ((3, 6), 2), ((2, 3, 3, 5), 5)):
        run = lambda x, weight=None, bias=None: F.group_norm(channels_second(x), groups, weight, bias, 1e-5).movedim(1, -1)
        affine = {"weight": draw(shape[-1]), "bias": draw(shape[-1])}
        golden.case("group_norm", f"group_norm {list(shape)}, {groups} groups", run, {"x": draw(*shape), **affine},
                    {"groups": groups})
        golden.case("group_norm", f"group_norm {list(shape)}, {groups} groups, plain", run, {"x": draw(*shape)},
                    {"groups": groups})
    for shape, axes in (((1, 5), 1), ((3, 19), 1), ((2, 3, 17), 1), ((2, 3, 5), 2), ((1, 3, 4, 5), 3)):
        last = shape[-axes:]
        run = lambda x, weight=None, bias=None: F.layer_norm(x, last, weight, bias, 1e-5)
        affine = {"weight": draw(*last), "bias": draw(*last)}
        golden.case("layer_norm", f"layer_norm {list(shape)}, {axes} axes", run, {"x": draw(*shape), **affine},
                    {"axes": axes})
        golden.case("layer_norm", f"layer_norm {list(shape)}, {axes} axes, plain", run, {"x": draw(*shape)}, {"axes": axes})


def embeddings():
    for shape, rows, size, padding in (((1,), 3, 5, None), ((4, 7), 6, 9, None), ((4, 7), 6, 3, 2), ((2, 3, 5), 4, 1, 0)):
        indices = torch.tensor(golden.rng.integers(0, rows, shape))
        golden.case("embedding", f"embedding {list(shape)} of {rows} x {size}, padding {padding}",
                    lambda weight, indices: F.embedding(indices, weight, padding), {"weight": draw(rows, size)},
                    {} if padding is None else {"padding_idx": padding}, {"indices": indices})


def trajectory(name, start, forward, channels, x):
    leaves = {key: value.clone().requires_grad_(True) for key, value in start.items()}
    mean, var = torch.zeros(channels), torch.ones(channels)
    options = {"lr": 0.125, "momentum": 0.75}
    optimizer = torch.optim.SGD(list(leaves.values()), **options)
    target = torch.tensor(golden.rng.integers(0, 3, (x.shape[0],)))
    norm = lambda x: F.batch_norm(x, mean, var, leaves["1.weight"], leaves["1.bias"], True, 0.1, 1e-5)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = F.cross_entropy(forward(x, leaves, norm), target)
        loss.backward()
        optimizer.step()
        losses.append(loss)
    return {"name": name, "loss": "cross_entropy", "optimizer": "SGD", "options": options, "x": given(x),
            "target": given(target), "start": {key: given(value) for key, value in start.items()},
            "losses": computed(torch.stack(losses)), "end": {key: computed(leaf) for key, leaf in leaves.items()},
            "buffers": {"1.running_mean": computed(mean), "1.running_var": computed(var)}}


def make_trajectories():
    small = lambda *shape: draw(*shape, low=-700, high=700)
    dense = {"0.weight": small(8, 6), "0.bias": small(8), "1.weight": draw(8, low=700, high=1300), "1.bias": small(8),
             "3.weight": small(3, 8), "3.bias": small(3)}
    conv = {"0.weight": small(4, 3, 3, 2), "0.bias": small(4), "1.weight": draw(4, low=700, high=1300), "1.bias": small(4),
            "4.weight": small(3, 36), "4.bias": small(3)}

    def run_dense(x, p, norm):
        return F.linear(torch.tanh(norm(F.linear(x, p["0.weight"], p["0.bias"]))), p["3.weight"], p["3.bias"])

    def run_conv(x, p, norm):
        x = F.relu(norm(F.conv2d(nchw(x), nchw(p["0.weight"]), p["0.bias"])))
        return F.linear(nhwc(x).flatten(1), p["4.weight"], p["4.bias"])

    return [trajectory("Dense + BatchNorm", dense, run_dense, 8, draw(11, 6)),
            trajectory("Conv2D + BatchNorm", conv, run_conv, 4, draw(5, 5, 5, 2))]


def activations_of_shapes():
    """The elementwise ones over odd sizes, batch 1 and sequences."""
    functions = {"relu": F.relu, "leaky_relu": lambda x: F.leaky_relu(x, 0.125), "sigmoid": torch.sigmoid,
                 "tanh": torch.tanh, "relu6": F.relu6, "hard_swish": F.hardswish, "silu": F.silu, "gelu": F.gelu,
                 "softplus": F.softplus}
    for op, function in functions.items():
        for shape in ((1, 1), (1, 17), (5, 7), (2, 5, 3)):
            golden.case(op, f"{op}, {list(shape)}", lambda x: function(x), {"x": odd(*shape)})


def make():
    activations()
    batch_norms()
    other_norms()
    embeddings()
    activations_of_shapes()
    golden.write("norm.json")
    write("norm_trajectories.json", make_trajectories())
