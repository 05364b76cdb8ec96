# SPDX-License-Identifier: Apache-2.0
"""Learning-rate schedules: tests/golden/schedules.json, the learning rate of 50 steps of torch.optim.lr_scheduler."""
import numpy as np
import torch
from torch.optim import lr_scheduler as lrs

from .common import computed, write

STEPS = 50
LR = 0.375


def make_schedule(kind, o, optimizer, parts=(), milestones=()):
    """The PyTorch scheduler of our name and options, which are factors where PyTorch has learning rates."""
    if kind == "sequence":
        return lrs.SequentialLR(optimizer, [make_schedule(*part, optimizer) for part in parts], list(milestones))
    if kind == "chain":
        return lrs.ChainedScheduler([make_schedule(*part, optimizer) for part in parts])
    return {
        "constant_lr": lambda: lrs.ConstantLR(optimizer, o["factor"], o["steps"]),
        "step_lr": lambda: lrs.StepLR(optimizer, o["every"], o["gamma"]),
        "multi_step_lr": lambda: lrs.MultiStepLR(optimizer, o["milestones"], o["gamma"]),
        "exponential_lr": lambda: lrs.ExponentialLR(optimizer, o["gamma"]),
        "linear_lr": lambda: lrs.LinearLR(optimizer, o["start"], o["end"], o["steps"]),
        "polynomial_lr": lambda: lrs.PolynomialLR(optimizer, o["steps"], o["power"]),
        "cosine_lr": lambda: lrs.CosineAnnealingLR(optimizer, o["steps"], o["end"] * LR),
        "cosine_restarts_lr": lambda: lrs.CosineAnnealingWarmRestarts(optimizer, o["steps"], o["lengthen"], o["end"] * LR),
        "one_cycle_lr": lambda: lrs.OneCycleLR(
            optimizer, LR, o["steps"], pct_start=o["rise"], anneal_strategy=o["anneal"], cycle_momentum=False,
            div_factor=o["start_divisor"], final_div_factor=o["end_divisor"], three_phase=o["three_phases"]),
        "plateau_lr": lambda: lrs.ReduceLROnPlateau(
            optimizer, "max" if o["maximize"] else "min", o["factor"], o["patience"], o["threshold"],
            "rel" if o["relative"] else "abs", o["cooldown"], o["lowest"] * LR, eps=0.0),
    }[kind]()


def case(kind, options=None, parts=(), milestones=(), figures=None):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=LR)
    schedule = make_schedule(kind, options or {}, optimizer, parts, milestones)
    rates = []
    for t in range(STEPS):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if t + 1 < STEPS:
            schedule.step(*([] if figures is None else [figures[t]]))
    spec = lambda kind, options: {"kind": kind, "options": options or {}}
    entry = {"name": f"{kind} {options or ''}", **spec(kind, options), "lr": LR}
    if parts:
        entry["name"] = f"{kind}({', '.join(str(part) for part in parts)}) {list(milestones)}"
        entry.update(parts=[spec(*part) for part in parts], milestones=list(milestones))
    if figures is not None:
        entry["figures"] = figures
    return {**entry, "rates": computed(torch.tensor(rates))}


def make():
    cycle = {"steps": 50, "rise": 0.3, "anneal": "cos", "start_divisor": 25.0, "end_divisor": 1e4, "three_phases": False}
    plateau = {"factor": 0.5, "patience": 2, "threshold": 0.01, "relative": True, "maximize": False, "cooldown": 0,
               "lowest": 0.0}
    rng = np.random.default_rng(60)
    # Falls, then wavers: a loss on a dyadic grid. The same upside down for what is maximised.
    falling = [float(np.round(64 * (1 + 2 / (1 + t)) + rng.integers(-8, 9)) / 64) for t in range(STEPS)]
    rising = [3.0 - figure for figure in falling]
    plain = [
        ("constant_lr", {"factor": 1 / 3, "steps": 5}), ("constant_lr", {"factor": 0.75, "steps": 30}),
        ("step_lr", {"every": 10, "gamma": 0.1}), ("step_lr", {"every": 3, "gamma": 0.875}),
        ("multi_step_lr", {"milestones": [1, 7, 8, 31], "gamma": 0.3}),
        ("exponential_lr", {"gamma": 0.95}), ("exponential_lr", {"gamma": 0.7}),
        ("linear_lr", {"start": 1 / 3, "end": 1.0, "steps": 5}), ("linear_lr", {"start": 1.0, "end": 0.0, "steps": 40}),
        ("linear_lr", {"start": 0.01, "end": 0.7, "steps": 49}),
        ("polynomial_lr", {"steps": 40, "power": 1.0}), ("polynomial_lr", {"steps": 49, "power": 2.5}),
        ("cosine_lr", {"steps": 50, "end": 0.0}), ("cosine_lr", {"steps": 49, "end": 0.125}),
        ("cosine_lr", {"steps": 11, "end": 0.25}),
        ("cosine_restarts_lr", {"steps": 10, "lengthen": 1, "end": 0.0}),
        ("cosine_restarts_lr", {"steps": 3, "lengthen": 2, "end": 0.05}),
        ("one_cycle_lr", cycle), ("one_cycle_lr", {**cycle, "rise": 0.25, "anneal": "linear", "end_divisor": 100.0}),
        ("one_cycle_lr", {**cycle, "rise": 0.4, "three_phases": True, "start_divisor": 10.0}),
        ("one_cycle_lr", {**cycle, "rise": 0.17, "three_phases": True, "anneal": "linear"}),
        ("one_cycle_lr", {**cycle, "rise": 0.0}), ("one_cycle_lr", {**cycle, "rise": 1.0})]
    cases = [case(*options) for options in plain]
    cases += [
        case("plateau_lr", plateau, figures=falling),
        case("plateau_lr", {**plateau, "relative": False, "threshold": 0.1, "cooldown": 3}, figures=falling),
        case("plateau_lr", {**plateau, "patience": 0, "factor": 0.75, "lowest": 0.2}, figures=falling),
        case("plateau_lr", {**plateau, "maximize": True}, figures=rising),
        case("plateau_lr", {**plateau, "maximize": True, "relative": False, "threshold": 0.1, "patience": 1}, figures=rising)]
    warm_up = ("linear_lr", {"start": 0.1, "end": 1.0, "steps": 5})
    cases += [
        case("sequence", parts=[warm_up, ("cosine_lr", {"steps": 45, "end": 0.0})], milestones=[5]),
        case("sequence", parts=[warm_up, ("linear_lr", {"start": 1.0, "end": 0.0, "steps": 45})], milestones=[5]),
        case("sequence", parts=[("constant_lr", {"factor": 0.1, "steps": 20}), ("exponential_lr", {"gamma": 0.9}),
                                ("step_lr", {"every": 2, "gamma": 0.5})], milestones=[3, 31]),
        case("chain", parts=[("constant_lr", {"factor": 0.1, "steps": 7}), ("exponential_lr", {"gamma": 0.9})]),
        case("chain", parts=[warm_up, ("multi_step_lr", {"milestones": [9, 30], "gamma": 0.5}),
                             ("cosine_lr", {"steps": 50, "end": 0.0})])]
    write("schedules.json", cases)
