#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the four networks of docs/performance.md for other libraries: NAME.onnx (input x, output y, opset 13)
and NAME.pt, NAME.channels_last.pt (frozen TorchScript), with new weights, for one sample.

usage: write_twins.py DIR      needs PyTorch: Debian's python3-torch, run with /usr/bin/python3
"""
import sys
import warnings
from pathlib import Path

import torch
from torch import nn


class Lstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.LSTM(8, 50, batch_first=True)
        self.second = nn.LSTM(50, 50, batch_first=True)
        self.last = nn.Linear(50, 1)

    def forward(self, x):
        return self.last(self.second(self.first(x)[0])[0][:, -1])


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(1600, 64), nn.ReLU(), nn.Linear(64, 10))


def mobilenet():
    layers = []

    def add(inputs, outputs, kernel, stride, groups=1):
        if stride == 2:  # TensorFlow's `same` for even sizes: one row and column at the end
            layers.append(nn.ZeroPad2d((0, 1, 0, 1)))
        padding = 0 if stride == 2 or kernel == 1 else 1
        layers.extend([nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False),
                       nn.BatchNorm2d(outputs), nn.ReLU()])

    channels = 8
    add(3, channels, 3, 2)
    for out, stride in [(16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2)] + [(128, 1)] * 5 + [(256, 2), (256, 1)]:
        add(channels, channels, 3, stride, channels)
        add(channels, out, 1, 1)
        channels = out
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))


NETWORKS = {
    "mlp": (lambda: nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 10)), (1, 784)),
    "cnn": (cnn, (1, 1, 28, 28)),
    "lstm": (Lstm, (1, 50, 8)),
    "mobilenet": (mobilenet, (1, 3, 96, 96)),
}


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    warnings.filterwarnings("ignore")
    folder = Path(sys.argv[1])
    for name, (make, shape) in NETWORKS.items():
        torch.manual_seed(1)
        model = make().eval()
        x = torch.rand(shape)
        torch.onnx.export(model, x, str(folder / f"{name}.onnx"), input_names=["x"], output_names=["y"],
                          opset_version=13)
        torch.jit.freeze(torch.jit.trace(model, x)).save(str(folder / f"{name}.pt"))
        if len(shape) == 4:
            last = model.to(memory_format=torch.channels_last)
            torch.jit.freeze(torch.jit.trace(last, x)).save(str(folder / f"{name}.channels_last.pt"))


if __name__ == "__main__":
    main()
