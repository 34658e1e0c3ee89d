"""VGG in MindSpore, as d2l-zh writes it, with its differences from PyTorch made explicit.

Source: Dive into Deep Learning, Chinese edition, section 7.2 (MindSpore).
"""

import os
import sys

import exchange
import numpy as np

# With AVX-512 the oneDNN in MindSpore 2.10.0 falls back on its reference convolution, many times
# slower ($ONEDNN_VERBOSE=1 shows jit_uni_ncsp:conv+ref:any). It is read at import.
os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX2")

try:
    exchange.check_python("MindSpore")
    import mindspore as ms
    from mindspore import Tensor, nn, ops
except exchange.Refusal as refusal:
    raise SystemExit(str(refusal)) from None
except ImportError as error:
    raise SystemExit(str(exchange.missing("MindSpore", error))) from None

# One operator after the other, on one thread as the other sides: by default several pass them on.
ms.set_context(pynative_synchronize=True)
VERSIONS = {"mindspore": ms.__version__, "numpy": np.__version__}


def vgg_block(num_convs, in_channels, out_channels):
    layers = []
    for _ in range(num_convs):
        layers.append(nn.Conv2d(
            in_channels, out_channels, kernel_size=3,
            padding=1, pad_mode='pad', has_bias=True,
            weight_init='xavier_uniform'))
        layers.append(nn.ReLU())
        in_channels = out_channels
    layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
    return nn.SequentialCell(layers)


def vgg(conv_arch, in_channels=1, num_classes=10,
        input_size=224, dropout=0.5):
    side = input_size // 2 ** len(conv_arch)
    conv_blks = []
    for num_convs, out_channels in conv_arch:
        conv_blks.append(vgg_block(
            num_convs, in_channels, out_channels))
        in_channels = out_channels

    def dense(inputs, outputs):
        return nn.Dense(inputs, outputs,
                        weight_init='xavier_uniform')

    return nn.SequentialCell([
        *conv_blks, nn.Flatten(),
        dense(out_channels * side * side, 4096),
        nn.ReLU(), nn.Dropout(p=dropout),
        dense(4096, 4096),
        nn.ReLU(), nn.Dropout(p=dropout),
        dense(4096, num_classes)])


def make_net(conv_arch, in_channels, num_classes,
             input_size, dropout=0.5):
    return vgg(conv_arch, in_channels, num_classes,
               input_size, dropout)


def export_weights(net):
    return {p.name: p.asnumpy().copy()
            for p in net.get_parameters()}


def load_weights(net, weights):
    for p in net.get_parameters():
        p.set_data(Tensor(weights[p.name]))


def forward_backward(net, X, y):
    net.set_train()  # a Cell starts in evaluation mode
    loss = nn.CrossEntropyLoss()

    def forward(X, y):
        y_hat = net(X)
        return loss(y_hat, y), y_hat

    params = net.trainable_params()
    grad_fn = ms.value_and_grad(
        forward, None, params, has_aux=True)
    (l, y_hat), grads = grad_fn(
        Tensor(X), Tensor(y, ms.int32))  # int64 is refused
    return y_hat.asnumpy(), float(l), {
        p.name: g.asnumpy()
        for p, g in zip(params, grads, strict=True)}


def sgd(net, lr):
    loss = nn.CrossEntropyLoss()
    params = net.trainable_params()
    optimizer = nn.SGD(params, learning_rate=lr)

    def forward(X, y):
        y_hat = net(X)
        return loss(y_hat, y), y_hat  # the batch's mean

    grad_fn = ms.value_and_grad(
        forward, None, params, has_aux=True)

    def step(X, y):
        net.set_train()
        (l, y_hat), grads = grad_fn(
            Tensor(X), Tensor(y, ms.int32))
        optimizer(grads)
        return float(l), y_hat.asnumpy()

    return step


def predict(net, X):
    net.set_train(False)
    return net(Tensor(X)).asnumpy()


def layer_shapes(net, X):
    X, shapes = Tensor(X), []
    for layer in net:
        X = layer(X)
        shapes.append([type(layer).__name__, list(X.shape)])
    return shapes


def first_line(function):
    """Return the first line of the error that function raises, or what it returns."""
    try:
        return function()
    except (RuntimeError, TypeError, ValueError) as error:
        return str(error).splitlines()[0]


def zeroed(dropout):
    """Return the share of zeros that dropout puts into ones."""
    return float((dropout(ops.ones((100, 1000))).asnumpy() == 0).mean())


def probes():
    """Return what MindSpore does where nobody told it what to do."""
    ms.set_seed(0)

    def ones(*shape):
        return ops.ones(shape, ms.float32)

    conv, dense = nn.Conv2d(64, 64, 3, has_bias=True), nn.Dense(1000, 1000)
    xavier = nn.Dense(1000, 1000, weight_init="xavier_uniform")
    same = nn.Conv2d(1, 1, 3, stride=2, weight_init="ones")
    padded = nn.Conv2d(1, 1, 3, stride=2, pad_mode="pad", padding=1, weight_init="ones")
    loss = nn.CrossEntropyLoss()
    return {
        "default_conv_on_8x8": list(nn.Conv2d(1, 1, 3)(ones(1, 1, 8, 8)).shape),
        "default_pool_on_8x8": list(nn.MaxPool2d(2)(ones(1, 1, 8, 8)).shape),
        "ones_conv_stride_2_on_8x8": padded(ones(1, 1, 8, 8)).asnumpy()[0, 0].tolist(),
        "ones_conv_stride_2_same_on_8x8": same(ones(1, 1, 8, 8)).asnumpy()[0, 0].tolist(),
        "default_conv_has_bias": bool(nn.Conv2d(1, 1, 3).has_bias),
        "conv_weight_max": float(abs(conv.weight.asnumpy()).max()),
        "conv_bias_max": float(abs(conv.bias.asnumpy()).max()),
        "dense_weight_max": float(abs(dense.weight.asnumpy()).max()),
        "dense_bias_max": float(abs(dense.bias.asnumpy()).max()),
        "xavier_dense_std": float(xavier.weight.asnumpy().std()),
        "dropout_0.1_zeroed": zeroed(nn.Dropout(0.1).set_train()),
        "dropout_p_0.1_zeroed": zeroed(nn.Dropout(p=0.1).set_train()),
        "fresh_dropout_0.5_zeroed": zeroed(nn.Dropout(p=0.5)),
        "loss_shape": list(loss(ones(4, 3), Tensor([0, 1, 2, 1], ms.int32)).shape),
        "conv_weight_shape": list(nn.Conv2d(2, 5, 3).weight.shape),
        "dense_weight_shape": list(nn.Dense(7, 3).weight.shape),
        "weight_shape_before_data": list(nn.Conv2d(1, 4, 3).weight.shape),
        "hwc_batch": first_line(lambda: list(nn.Conv2d(3, 4, 3)(ones(1, 8, 8, 3)).shape)),
        "device_target": ms.get_context("device_target"),
        "errors": {
            "padding without pad_mode": first_line(
                lambda: list(nn.Conv2d(1, 1, 3, padding=1)(ones(1, 1, 8, 8)).shape)),
            "int64 labels": first_line(
                lambda: list(loss(ones(2, 3), Tensor([0, 1], ms.int64)).shape)),
        },
    }


if __name__ == "__main__":
    exchange.main(sys.modules[__name__])
