# SPDX-License-Identifier: Apache-2.0
"""Optimizers, parameter groups and schedules over them: tests/golden/optimizers.json, 50 steps of a small net."""
import fnmatch

import torch
import torch.nn.functional as F
from torch.optim import lr_scheduler as lrs

from .common import Golden, computed, given, write

STEPS = 50
golden = Golden(61)
draw = golden.draw


def mlp(x, p):
    hidden = torch.tanh(F.linear(x, p["fc1.weight"], p["fc1.bias"]))
    return F.linear(hidden, p["fc2.weight"], p["fc2.bias"])


class NAdam(torch.optim.Optimizer):
    """As PyTorch documents it: the code of 1.13 multiplies mu_t into the product of the next step twice."""

    def __init__(self, params, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, momentum_decay=4e-3):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
                                  "momentum_decay": momentum_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            (beta1, beta2), decay = group["betas"], group["momentum_decay"]
            mu = lambda t: beta1 * (1 - 0.5 * 0.96 ** (t * decay))
            for p in group["params"]:
                state = self.state[p]
                if not state:
                    state.update(t=0, m=torch.zeros_like(p), v=torch.zeros_like(p), product=1.0)
                state["t"] += 1
                t, g = state["t"], p.grad + group["weight_decay"] * p
                state["product"] *= mu(t)
                state["m"] = beta1 * state["m"] + (1 - beta1) * g
                state["v"] = beta2 * state["v"] + (1 - beta2) * g * g
                m_hat = mu(t + 1) * state["m"] / (1 - state["product"] * mu(t + 1)) + (1 - mu(t)) * g / (1 - state["product"])
                p -= group["lr"] * m_hat / ((state["v"] / (1 - beta2 ** t)).sqrt() + group["eps"])


def in_groups(leaves, groups, options):
    """One PyTorch group a parameter, with what the patterns that match it set; the last one counts."""
    all_groups = []
    for name, leaf in leaves.items():
        own = {"params": [leaf]}
        for group in groups:
            if fnmatch.fnmatchcase(name, group["pattern"]):
                own.update({key: value for key, value in group.items() if key in ("lr", "weight_decay")})
                if group.get("frozen"):
                    leaf.requires_grad_(False)
        all_groups.append(own)
    return all_groups


def trajectory(optimizer_name, options, groups=(), gamma=None):
    start = {"fc1.weight": draw(8, 6, low=-700, high=700), "fc1.bias": draw(8, low=-200, high=200),
             "fc2.weight": draw(3, 8, low=-700, high=700), "fc2.bias": draw(3, low=-200, high=200)}
    x, target = draw(11, 6), torch.tensor(golden.rng.integers(0, 3, (11,)))
    leaves = {key: value.clone().requires_grad_(True) for key, value in start.items()}
    optimizer = (NAdam if optimizer_name == "NAdam" else getattr(torch.optim, optimizer_name))(in_groups(leaves, groups, options), **options)
    schedule = lrs.ExponentialLR(optimizer, gamma) if gamma else None
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        value = F.cross_entropy(mlp(x, leaves), target)
        value.backward()
        optimizer.step()
        if schedule:
            schedule.step()
        losses.append(value)
    entry = {"name": f"{optimizer_name} {options} {list(groups) or ''} {gamma or ''}", "loss": "cross_entropy",
             "optimizer": optimizer_name, "options": options}
    if groups:
        entry["groups"] = list(groups)
    if gamma:
        entry["gamma"] = gamma
    return {**entry, "x": given(x), "target": given(target), "start": {key: given(value) for key, value in start.items()},
            "losses": computed(torch.stack(losses)), "end": {key: computed(leaf) for key, leaf in leaves.items()}}


def make():
    runs = [
        ("AdamW", {"lr": 0.0625}), ("AdamW", {"lr": 0.03125, "weight_decay": 0.25}),
        ("AdamW", {"lr": 0.0625, "betas": [0.75, 0.875], "eps": 0.0009765625, "weight_decay": 0.5, "amsgrad": True}),
        ("Adam", {"lr": 0.125, "betas": [0.75, 0.875], "amsgrad": True}),
        ("Adam", {"lr": 0.03125, "betas": [0.875, 0.75], "weight_decay": 0.125, "amsgrad": True}),
        ("NAdam", {"lr": 0.03125}),
        ("NAdam", {"lr": 0.0625, "betas": [0.75, 0.875], "eps": 0.0009765625, "weight_decay": 0.125, "momentum_decay": 0.25}),
        ("RMSprop", {"lr": 0.015625}), ("RMSprop", {"lr": 0.015625, "alpha": 0.875, "eps": 0.0009765625}),
        ("RMSprop", {"lr": 0.0078125, "momentum": 0.75, "weight_decay": 0.125}),
        ("RMSprop", {"lr": 0.0078125, "alpha": 0.75, "centered": True, "eps": 0.0009765625}),
        ("RMSprop", {"lr": 0.00390625, "alpha": 0.875, "centered": True, "momentum": 0.5, "eps": 0.0009765625}),
        ("Adagrad", {"lr": 0.125}), ("Adagrad", {"lr": 0.25, "lr_decay": 0.0625, "weight_decay": 0.0625}),
        ("Adagrad", {"lr": 0.25, "initial_accumulator_value": 0.125, "eps": 0.0009765625})]
    entries = [trajectory(*run) for run in runs]
    # Of a group and the optimizer, of two groups that overlap, frozen, and all of them under a schedule.
    backbone = {"pattern": "fc1.*", "lr": 0.015625}
    no_decay = {"pattern": "*.bias", "weight_decay": 0.0}
    decay = {"pattern": "fc1.bias", "weight_decay": 0.5, "lr": 0.25}
    frozen = {"pattern": "fc1.w*", "frozen": True}
    entries += [
        trajectory("AdamW", {"lr": 0.0625, "weight_decay": 0.25}, [backbone, no_decay]),
        trajectory("SGD", {"lr": 0.25, "momentum": 0.5, "weight_decay": 0.125}, [backbone, no_decay, decay]),
        trajectory("Adam", {"lr": 0.0625, "weight_decay": 0.125}, [frozen, no_decay]),
        trajectory("AdamW", {"lr": 0.125, "weight_decay": 0.25}, [backbone, no_decay], 0.9375)]
    write("optimizers.json", entries)
