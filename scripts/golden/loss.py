# SPDX-License-Identifier: Apache-2.0
"""Losses (tests/golden/loss.json) and metrics (tests/golden/metrics.json).

PyTorch's own functions where it has them, else the definition written out in PyTorch (focal: torchvision is not
needed) or NumPy (metrics: counted pair by pair).
"""
import numpy as np
import torch
import torch.nn.functional as F

from golden.common import Golden, computed, given, write

golden = Golden(31)
draw, rng = golden.draw, golden.rng
STEPS = 20


def channels_second(z):
    return z.movedim(-1, 1) if z.dim() > 2 else z


def positive(*shape):
    return draw(*shape, low=100, high=3000)


def labels(classes, *shape):
    return torch.tensor(rng.integers(0, classes, shape))


def probabilities(*shape):
    """Rows of multiples of 1/1024, above 0, that sum to one."""
    n = shape[-1]
    rows = rng.multinomial(1024 - n, np.ones(n) / n, size=shape[:-1]) + 1
    return torch.tensor(rows / 1024)


# ---- definitions --------------------------------------------------------------------------------------------
def cosine_loss(prediction, target):
    return (1 - F.cosine_similarity(prediction, target, dim=-1)).mean()


def kl_div(prediction, target):
    rows = prediction.numel() // prediction.shape[-1]
    return F.kl_div(prediction, target, reduction="sum") / rows


def hinge(prediction, target):
    signs = torch.where(target > 0, 1.0, -1.0)
    return torch.clamp(1 - signs * prediction, min=0).mean()


def focal_terms(logits, target, gamma):
    if target.dtype == torch.int64:
        log_p = -F.cross_entropy(channels_second(logits), target, reduction="none")
        return (1 - log_p.exp()) ** gamma * -log_p
    p = torch.sigmoid(logits)
    return -target * (1 - p) ** gamma * F.logsigmoid(logits) - (1 - target) * p ** gamma * F.logsigmoid(-logits)


def spread(weights, terms):
    """Weights of samples for every term."""
    return weights.reshape(*weights.shape, *[1] * (terms.dim() - weights.dim())).expand_as(terms)


def weighted_mean(terms, weights):
    if weights is None:
        return terms.mean()
    w = spread(weights, terms)
    return (w * terms).sum() / w.sum()


def focal_loss(logits, target, weight=None, sample_weights=None, gamma=2.0, alpha=None):
    terms = focal_terms(logits, target, gamma)
    if alpha is not None:
        terms = terms * (alpha * target + (1 - alpha) * (1 - target))
    if weight is not None:
        terms = terms * weight[target]
    return weighted_mean(terms, sample_weights)


def cross_entropy(logits, target, weight=None, sample_weights=None, label_smoothing=0.0):
    """PyTorch's formula with weights of rows, written out; checked against PyTorch's where those are all 1."""
    classes = logits.shape[-1]
    soft = F.one_hot(target, classes).to(logits) if target.dtype == torch.int64 else target
    q = soft * (1 - label_smoothing) + label_smoothing / classes
    w = torch.ones(classes) if weight is None else weight
    u = torch.ones(logits.shape[:-1]) if sample_weights is None else sample_weights
    terms = -(w * q * F.log_softmax(logits, -1)).sum(-1)
    divisor = (u * w[target]).sum() if target.dtype == torch.int64 else u.sum()
    value = (u * terms).sum() / divisor
    if sample_weights is None:
        soft_target = target if target.dtype == torch.int64 else channels_second(target)
        assert torch.isclose(value, F.cross_entropy(channels_second(logits), soft_target, weight=weight,
                                                    label_smoothing=label_smoothing))
    return value


def bce(logits, target, weight=None, sample_weights=None, label_smoothing=0.0):
    t = target.to(logits) * (1 - label_smoothing) + label_smoothing / 2
    return weighted_mean(F.binary_cross_entropy_with_logits(logits, t, pos_weight=weight, reduction="none"),
                         sample_weights)


ELEMENTWISE = {
    "MSE": lambda a, b, delta: F.mse_loss(a, b, reduction="none"),
    "MAE": lambda a, b, delta: F.l1_loss(a, b, reduction="none"),
    "Huber": lambda a, b, delta: F.huber_loss(a, b, reduction="none", delta=delta)}


# ---- cases --------------------------------------------------------------------------------------------------
def make_functions():
    for shape in ((1, 1), (5, 3), (2, 3, 5)):
        text = f", {list(shape)}"
        pair = {"prediction": golden.distinct(*shape), "target": draw(*shape)}
        golden.case("huber", "huber" + text, lambda prediction, target: F.huber_loss(prediction, target), pair)
        golden.case("hinge", "hinge of -1 and 1" + text, hinge, {"prediction": draw(*shape)},
                    constants={"target": labels(2, *shape) * 2.0 - 1})
        golden.case("hinge", "hinge of 0 and 1" + text, hinge, {"prediction": draw(*shape)},
                    constants={"target": labels(2, *shape)})
        golden.case("kl_div", "kl_div" + text, kl_div,
                    {"prediction": draw(*shape, low=-4096, high=0), "target": probabilities(*shape)})
        golden.case("cosine_loss", "cosine_loss" + text, cosine_loss,
                    {"prediction": draw(*shape), "target": draw(*shape)})
        golden.case("focal", "focal of targets" + text, focal_loss, {"logits": draw(*shape) * 2},
                    constants={"target": draw(*shape, low=0, high=1025)})
        golden.case("focal", "focal of labels" + text, focal_loss, {"logits": draw(*shape[:-1], shape[-1] + 1) * 2},
                    constants={"target": labels(shape[-1] + 1, *shape[:-1])})


def objects(op, name, function, inputs, constants, options):
    golden.case(op, name, lambda **given_tensors: function(**given_tensors, **options), inputs, options, constants)


def make_objects():
    for shape in ((1, 2), (7, 10), (2, 3, 5)):
        rows, classes, text = shape[:-1], shape[-1], f", {list(shape)}"
        weights = positive(classes)
        for sample_weights in (positive(shape[0]), positive(*rows)):
            kind = f", sample weights {list(sample_weights.shape)}"
            for smoothing, weight in ((0.0, None), (0.25, weights)):
                for target in (labels(classes, *rows), probabilities(*shape)):
                    constants = {"target": target, "sample_weights": spread(sample_weights, torch.ones(rows))}
                    if weight is not None:
                        constants["weight"] = weight
                    objects("CrossEntropy", "CrossEntropy" + kind + text, cross_entropy, {"logits": draw(*shape)},
                            constants, {"label_smoothing": smoothing})
            for name, terms in ELEMENTWISE.items():
                run = lambda prediction, target, sample_weights, delta: weighted_mean(
                    terms(prediction, target, delta), sample_weights)
                objects(name, name + kind + text, run, {"prediction": golden.distinct(*shape)},
                        {"target": draw(*shape), "sample_weights": sample_weights}, {"delta": 0.75})
            for smoothing, weight in ((0.0, weights), (0.125, None), (0.25, weights)):
                constants = {"target": draw(*shape, low=0, high=1025), "sample_weights": sample_weights}
                if weight is not None:
                    constants["weight"] = weight
                objects("BCEWithLogits", "BCEWithLogits" + kind + text, bce, {"logits": draw(*shape) * 2}, constants,
                        {"label_smoothing": smoothing})
            for gamma, alpha in ((2.0, 0.25), (1.5, 0.75), (0.0, 0.5)):
                constants = {"target": labels(2, *shape) * 1.0, "sample_weights": sample_weights}
                objects("FocalLoss", "FocalLoss of targets" + kind + text, focal_loss, {"logits": draw(*shape) * 2},
                        constants, {"gamma": gamma, "alpha": alpha})
                constants = {"target": labels(classes, *rows), "weight": weights, "sample_weights": sample_weights}
                objects("FocalLoss", "FocalLoss of labels" + kind + text, focal_loss, {"logits": draw(*shape) * 2},
                        constants, {"gamma": gamma})


def make_weighted_rows():
    losses = {
        "KLDiv": (lambda a, b: F.kl_div(a, b, reduction="none").sum(-1),
                  lambda *shape: draw(*shape, low=-4096, high=0), probabilities),
        "CosineLoss": (lambda a, b: 1 - F.cosine_similarity(a, b, dim=-1), draw, draw)}
    for shape in ((1, 2), (7, 10), (2, 3, 5)):
        for sample_weights in (positive(shape[0]), positive(*shape[:-1])):
            for name, (terms, prediction, target) in losses.items():
                objects(name, f"{name}, sample weights {list(sample_weights.shape)}, {list(shape)}",
                        lambda prediction, target, sample_weights: weighted_mean(terms(prediction, target), sample_weights),
                        {"prediction": prediction(*shape)}, {"target": target(*shape), "sample_weights": sample_weights}, {})


def make_trajectories():
    """Twenty steps of SGD with momentum on a linear model."""
    cases = {
        "huber": (lambda z, t: F.huber_loss(z, t), draw(11, 3)), "hinge": (hinge, labels(2, 11, 3) * 2.0 - 1),
        "focal": (focal_loss, labels(2, 11, 3) * 1.0), "focal of labels": (focal_loss, labels(3, 11)),
        "kl_div": (lambda z, t: kl_div(F.log_softmax(z, -1), t), probabilities(11, 3)),
        "cosine_loss": (cosine_loss, draw(11, 3))}
    runs = []
    for name, (loss, target) in cases.items():
        x, start = draw(11, 6), draw(3, 6, low=-700, high=700)
        weight = start.clone().requires_grad_(True)
        optimizer, losses = torch.optim.SGD([weight], lr=0.125, momentum=0.5), []
        for _ in range(STEPS):
            optimizer.zero_grad()
            value = loss(F.linear(x, weight), target)
            value.backward()
            optimizer.step()
            losses.append(value)
        runs.append({"op": "trajectory", "name": name, "x": given(x), "target": given(target), "start": given(start),
                     "losses": computed(torch.stack(losses)), "end": computed(weight)})
    golden.cases.extend(runs)


# ---- metrics, by definition -----------------------------------------------------------------------------------
def auroc(scores, truth):
    """The share of (positive, negative) pairs in the right order; equal scores are half right."""
    yes, no = scores[truth == 1], scores[truth == 0]
    return float(np.mean([(a > b) + 0.5 * (a == b) for a in yes for b in no]))


def class_scores(guess, truth, classes):
    ratio = lambda a, b: a / b if b > 0 else 0.0
    counts = [[sum(1 for t, g in zip(truth, guess) if t == i and g == j) for j in range(classes)]
              for i in range(classes)]
    precision, recall, f1, occurs = [], [], [], []
    for c in range(classes):
        right = counts[c][c]
        guessed, true = sum(row[c] for row in counts), sum(counts[c])
        precision.append(ratio(right, guessed))
        recall.append(ratio(right, true))
        f1.append(ratio(2 * right, guessed + true))
        occurs.append(guessed + true > 0)
    macro = [float(np.mean([v for v, o in zip(values, occurs) if o])) for values in (precision, recall, f1)]
    micro = sum(counts[c][c] for c in range(classes)) / len(truth)
    return {"counts": sum(counts, []), "precision": precision, "recall": recall, "f1": f1, "macro": macro, "micro": micro}


def regression(prediction, target):
    p, t = prediction.reshape(len(prediction), -1), target.reshape(len(target), -1)
    r2 = []
    for k in range(t.shape[1]):
        total = np.sum((t[:, k] - t[:, k].mean()) ** 2)
        rest = np.sum((t[:, k] - p[:, k]) ** 2)
        r2.append(1 - rest / total if total > 0 else float(rest == 0))
    return {"mae": float(np.mean(np.abs(p - t))), "rmse": float(np.sqrt(np.mean((p - t) ** 2))), "r2": float(np.mean(r2))}


def make_metrics():
    cases = []
    for samples, classes in ((1, 3), (37, 4), (200, 10)):
        z, truth = draw(samples, classes), labels(classes - 1, samples)  # one class never occurs in the truth
        order = np.argsort(-z.numpy(), axis=1, kind="stable")
        right = order[:, 0] == truth.numpy()
        cases.append({
            "kind": "classes", "prediction": given(z), "target": given(truth), "accuracy": float(right.mean()),
            "standard_error": float(np.sqrt(right.mean() * (1 - right.mean()) / samples)),
            "top_k": [float(np.mean([t in row[:k] for t, row in zip(truth.numpy(), order)])) for k in (1, 2, 3)],
            **class_scores(order[:, 0].tolist(), truth.tolist(), classes)})
    for samples, levels in ((2, 50), (41, 6), (150, 40), (150, 4000)):
        scores = torch.tensor(rng.integers(-levels, levels, (samples, 1)) / 1024)
        truth = torch.cat([torch.tensor([0, 1]), labels(2, samples - 2)])
        cases.append({"kind": "auroc", "prediction": given(scores), "target": given(truth),
                      "auroc": auroc(scores.numpy()[:, 0], truth.numpy())})
    for shape in ((2,), (33,), (50, 1), (41, 3), (7, 2, 5)):
        prediction, target = draw(*shape), draw(*shape)
        cases.append({"kind": "regression", "prediction": given(prediction), "target": given(target),
                      **regression(prediction.numpy(), target.numpy())})
    write("metrics.json", cases)


def make():
    make_functions()
    make_objects()
    make_trajectories()
    make_metrics()
    make_weighted_rows()
    golden.write("loss.json")
