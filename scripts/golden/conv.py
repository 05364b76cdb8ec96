# SPDX-License-Identifier: Apache-2.0
"""Transposed convolution and resizing: conv.json. Layers built from convolutions and pools: conv_layers.json."""
import torch
import torch.nn.functional as F

from .common import Golden, explicit, nchw, nhwc, padded

ops = Golden(seed=31)
layers = Golden(seed=32)


def input_first(weight, groups):
    """[O, kh, kw, C/groups] -> PyTorch's [C, O/groups, kh, kw]."""
    o, kh, kw, c = weight.shape
    parts = weight.reshape(groups, o // groups, kh, kw, c)
    return parts.permute(0, 4, 1, 2, 3).reshape(groups * c, o // groups, kh, kw)


def transposed(name, shape, out, kernel=(3, 3), stride=(1, 1), dilation=(1, 1), padding=(0, 0, 0, 0),
               output_padding=(0, 0), groups=1, bias=True):
    """Unequal padding is cut off the unpadded result; `same` as the padding of a result of size H stride."""
    result = [shape[0], shape[1] * stride[0], shape[2] * stride[1]]
    top, bottom, left, right = explicit(padding, result, kernel, stride, dilation)

    def run(x, weight, bias=None):
        y = F.conv_transpose2d(nchw(x), input_first(weight, groups), None, stride, 0, 0, groups, dilation)
        if padding == "same":  # a stride larger than the kernel leaves zeros at the end
            y = F.pad(y, (0, max(result[2] + left + right - y.shape[3], 0), 0, max(result[1] + top + bottom - y.shape[2], 0)))
        y = F.pad(y, (-left, output_padding[1] - right, -top, output_padding[0] - bottom))
        return nhwc(y) + (0 if bias is None else bias)

    inputs = {"x": ops.draw(*shape), "weight": ops.draw(out, *kernel, shape[3] // groups)}
    if bias:
        inputs["bias"] = ops.draw(out)
    ops.case("conv_transpose2d", name, run, inputs, {
        "stride": stride, "dilation": dilation, "padding": padding, "output_padding": output_padding, "groups": groups})


def plain_transposed(name, shape, out, kernel, stride, padding, output_padding, dilation, groups):
    """PyTorch's own padding and output padding."""
    def run(x, weight, bias):
        return nhwc(F.conv_transpose2d(nchw(x), input_first(weight, groups), bias, stride, padding, output_padding,
                                       groups, dilation))

    p, q = padding
    ops.case("conv_transpose2d", name, run,
             {"x": ops.draw(*shape), "weight": ops.draw(out, *kernel, shape[3] // groups), "bias": ops.draw(out)},
             {"stride": stride, "dilation": dilation, "padding": (p, p, q, q), "output_padding": output_padding,
              "groups": groups})


def make_ops():
    transposed("transposed, batch 1", (1, 4, 5, 2), 3)
    transposed("transposed, one place", (3, 1, 1, 3), 2)
    transposed("transposed without bias, kernel 2x3, stride 2x3", (2, 3, 4, 3), 2, (2, 3), (2, 3), bias=False)
    transposed("transposed 1x1, stride 2", (1, 3, 3, 4), 5, (1, 1), (2, 2))
    transposed("transposed, same", (2, 3, 5, 2), 3, padding="same")
    transposed("transposed, same, stride 2", (1, 5, 3, 2), 2, (3, 4), (2, 2), padding="same")
    transposed("transposed, same, stride larger than the kernel", (1, 3, 2, 1), 2, (2, 2), (3, 3), padding="same")
    transposed("transposed, padding 1/0/0/2", (1, 4, 5, 2), 2, padding=(1, 0, 0, 2))
    plain_transposed("transposed, padding 1, stride 2, output padding 1", (2, 3, 4, 3), 2, (3, 3), (2, 2), (1, 1),
                     (1, 1), (1, 1), 1)
    plain_transposed("transposed, dilation 2, padding 2x1", (1, 5, 4, 2), 3, (3, 2), (1, 1), (2, 1), (0, 0), (2, 2), 1)
    plain_transposed("transposed, groups 2, stride 2x3", (2, 3, 3, 4), 6, (3, 3), (2, 3), (1, 0), (0, 2), (1, 1), 2)
    plain_transposed("transposed, depthwise, dilation 1x2", (1, 4, 3, 5), 5, (3, 3), (2, 1), (1, 1), (1, 0), (1, 2), 5)

    for shape, size in (((1, 3, 4, 2), (6, 8)), ((2, 5, 3, 3), (15, 6)), ((1, 1, 1, 4), (3, 2)), ((2, 4, 5, 1), (7, 9)),
                        ((1, 7, 6, 2), (3, 5)), ((3, 3, 3, 17), (3, 4))):
        for mode in ("nearest", "bilinear"):
            options = {} if mode == "nearest" else {"align_corners": False}
            ops.case("upsample2d", f"upsample {mode}, {list(shape)} to {list(size)}",
                     lambda x: nhwc(F.interpolate(nchw(x), size, mode=mode, **options)), {"x": ops.draw(*shape)},
                     {"size": size, "mode": mode})


def depthwise(x, weight, bias, stride, dilation, padding, shape):
    p = explicit(padding, shape, weight.shape[1:3], stride, dilation)
    return nhwc(F.conv2d(padded(x, p), nchw(weight), bias, stride, 0, dilation, shape[3]))


def make_depthwise():
    for shape, multiplier, kernel, stride, dilation, padding in (
            ((1, 5, 6, 3), 1, (3, 3), (1, 1), (1, 1), "same"), ((2, 7, 5, 17), 1, (3, 3), (2, 2), (1, 1), "same"),
            ((2, 6, 7, 2), 3, (3, 2), (1, 2), (1, 1), (1, 0, 0, 1)), ((1, 7, 8, 4), 2, (3, 3), (1, 1), (2, 2), (2, 2, 2, 2))):
        attributes = {"kernel": kernel, "stride": stride, "dilation": dilation, "padding": padding,
                      "multiplier": multiplier}
        out = shape[3] * multiplier
        layers.case("DepthwiseConv2D", f"depthwise, {list(shape)} x {multiplier}, stride {stride}",
                    lambda x, weight, bias: depthwise(x, weight, bias, stride, dilation, padding, shape),
                    {"x": layers.draw(*shape), "weight": layers.draw(out, *kernel, 1), "bias": layers.draw(out)},
                    attributes)
        layers.case("SeparableConv2D", f"separable, {list(shape)} x {multiplier}, stride {stride}",
                    lambda x, depthwise_weight, weight, bias: nhwc(F.conv2d(
                        nchw(depthwise(x, depthwise_weight, None, stride, dilation, padding, shape)), nchw(weight), bias)),
                    {"x": layers.draw(*shape), "depthwise_weight": layers.draw(out, *kernel, 1),
                     "weight": layers.draw(5, 1, 1, out), "bias": layers.draw(5)}, attributes)


def channels_second(t):
    return t.permute(0, 2, 1)


def make_sequences():
    for shape, out, kernel, stride, dilation, padding, groups in (
            ((1, 7, 3), 4, 3, 1, 1, (0, 0), 1), ((3, 9, 2), 3, 5, 2, 1, (2, 2), 1), ((2, 8, 2), 2, 2, 1, 3, (3, 0), 1),
            ((2, 5, 4), 6, 3, 1, 1, (1, 1), 2), ((1, 6, 5), 5, 3, 2, 1, (1, 1), 5), ((2, 6, 3), 6, 4, 1, 1, (0, 0), 3)):
        depth = groups == shape[2]
        layers.case("DepthwiseConv1D" if depth else "Conv1D", f"conv1d, {list(shape)} -> {out}, kernel {kernel}",
                    lambda x, weight, bias: channels_second(F.conv1d(
                        F.pad(channels_second(x), padding), channels_second(weight), bias, stride, 0, dilation, groups)),
                    {"x": layers.draw(*shape), "weight": layers.draw(out, kernel, shape[2] // groups),
                     "bias": layers.draw(out)},
                    {"kernel": kernel, "stride": stride, "dilation": dilation, "padding": padding, "groups": groups})
    for shape, kernel, stride, padding in (((1, 7, 3), 2, 2, 0), ((2, 9, 2), 3, 2, 1), ((3, 5, 1), 4, 1, 2)):
        attributes = {"kernel": kernel, "stride": stride, "padding": (padding, padding)}
        layers.case("MaxPool1D", f"max pool 1d, {list(shape)}, kernel {kernel}",
                    lambda x: channels_second(F.max_pool1d(channels_second(x), kernel, stride, padding)),
                    {"x": layers.distinct(*shape)}, attributes)
        layers.case("AvgPool1D", f"avg pool 1d, {list(shape)}, kernel {kernel}",
                    lambda x: channels_second(F.avg_pool1d(channels_second(x), kernel, stride, padding,
                                                           count_include_pad=False)),
                    {"x": layers.draw(*shape)}, attributes)


def make_maps():
    for shape in ((1, 5, 3), (3, 1, 7)):
        layers.case("GlobalAvgPool1D", f"mean over {list(shape)}",
                    lambda x: F.adaptive_avg_pool1d(channels_second(x), 1).flatten(1), {"x": layers.draw(*shape)})
        layers.case("GlobalMaxPool1D", f"max over {list(shape)}",
                    lambda x: F.adaptive_max_pool1d(channels_second(x), 1).flatten(1), {"x": layers.distinct(*shape)})
    for shape in ((1, 3, 5, 2), (2, 7, 1, 3)):
        layers.case("GlobalAvgPool2D", f"mean over {list(shape)}",
                    lambda x: F.adaptive_avg_pool2d(nchw(x), 1).flatten(1), {"x": layers.draw(*shape)})
        layers.case("GlobalMaxPool2D", f"max over {list(shape)}",
                    lambda x: F.adaptive_max_pool2d(nchw(x), 1).flatten(1), {"x": layers.distinct(*shape)})
        padding = (1, 0, 2, 3)
        layers.case("ZeroPad2D", f"zero pad {list(shape)}",
                    lambda x: nhwc(F.pad(nchw(x), (2, 3, 1, 0))), {"x": layers.draw(*shape)}, {"padding": padding})
    layers.case("ZeroPad1D", "zero pad 1d", lambda x: channels_second(F.pad(channels_second(x), (2, 1))),
                {"x": layers.draw(2, 3, 3)}, {"padding": (2, 1)})
    for shape, groups in (((1, 2, 3, 6), 3), ((2, 3, 1, 8), 2)):
        # F.channel_shuffle has no derivative in this version; its order of the channels has one
        order = F.channel_shuffle(torch.arange(shape[3]).reshape(1, -1, 1, 1), groups).flatten()
        layers.case("ChannelShuffle", f"shuffle {list(shape)}, {groups} groups",
                    lambda x: x[..., order], {"x": layers.draw(*shape)},
                    {"groups": groups})

    def excite(x, squeeze_weight, squeeze_bias, expand_weight, expand_bias):
        pooled = nchw(x).mean((2, 3))
        scale = torch.sigmoid(F.linear(F.relu(F.linear(pooled, squeeze_weight, squeeze_bias)), expand_weight, expand_bias))
        return nhwc(nchw(x) * scale[:, :, None, None])

    for shape, squeezed in (((1, 3, 4, 5), 2), ((3, 1, 3, 4), 3)):
        c = shape[3]
        layers.case("SqueezeExcite", f"squeeze-excite {list(shape)} by {squeezed}", excite,
                    {"x": layers.draw(*shape), "squeeze_weight": layers.draw(squeezed, c),
                     "squeeze_bias": layers.draw(squeezed), "expand_weight": layers.draw(c, squeezed),
                     "expand_bias": layers.draw(c)}, {"squeezed": squeezed})


def block(x, weight, bias, stride=(1, 1)):
    """Dense for a matrix, else a convolution padded to the same size."""
    if weight.dim() == 2:
        return F.linear(x, weight, bias)
    p = explicit("same", x.shape, weight.shape[1:3], stride, (1, 1))
    return nhwc(F.conv2d(padded(x, p), nchw(weight), bias, stride))


def block_inputs(prefix, channels, out, kernel=()):
    return {prefix + "weight": layers.draw(out, *kernel, channels), prefix + "bias": layers.draw(out)}


def make_blocks():
    def residual(x, weight, bias, projection_weight=None, projection_bias=None, stride=(1, 1)):
        straight = x if projection_weight is None else block(x, projection_weight, projection_bias, stride)
        return F.relu(block(x, weight, bias, stride)) + straight

    for shape, kernel, out, stride in (
            ((1, 5), (), None, (1, 1)), ((7, 17), (), None, (1, 1)), ((3, 5), (), 9, (1, 1)),
            ((1, 3, 5, 2), (3, 3), None, (1, 1)), ((2, 1, 7, 3), (3, 2), None, (1, 1)),
            ((1, 5, 7, 2), (3, 3), 3, (2, 2)), ((3, 4, 5, 5), (2, 3), 1, (1, 2))):
        inputs = {"x": layers.draw(*shape), **block_inputs("", shape[-1], out or shape[-1], kernel)}
        if out:
            inputs |= block_inputs("projection_", shape[-1], out, kernel and (1, 1))
        layers.case("Residual", f"residual {list(shape)} -> {out or 'the same'}, stride {stride}",
                    lambda **given_inputs: residual(**given_inputs, stride=stride), inputs, {"stride": stride})

    def branches(x, weight, bias, wide_weight, wide_bias):
        return torch.cat([F.relu(block(x, weight, bias)), x, block(x, wide_weight, wide_bias)], -1)

    for shape, outs, kernels in (((1, 5), (3, 1), ((), ())), ((3, 2, 7), (1, 17), ((), ())),
                                 ((1, 3, 5, 2), (3, 5), ((1, 1), (3, 3))), ((2, 7, 1, 3), (1, 2), ((3, 1), (2, 5)))):
        layers.case("Concat", f"concat {list(shape)} with {list(outs)}", branches,
                    {"x": layers.draw(*shape), **block_inputs("", shape[-1], outs[0], kernels[0]),
                     **block_inputs("wide_", shape[-1], outs[1], kernels[1])})


def make():
    make_ops()
    ops.write("conv.json")
    make_depthwise()
    make_sequences()
    make_maps()
    make_blocks()
    layers.write("conv_layers.json")
