"""VGG in MXNet Gluon: the network of the book's first edition.

Source: Dive into Deep Learning, first edition (MXNet), section 7.2.
"""

import sys
import tempfile
from pathlib import Path

import exchange
import numpy as np

try:
    exchange.check_python("MXNet")
    import mxnet as mx
    from mxnet import autograd, gluon, init, nd
    from mxnet.gluon import nn
except exchange.Refusal as refusal:
    raise SystemExit(str(refusal)) from None
except (ImportError, AttributeError, OSError) as error:  # it uses np.bool, which numpy 1.24 dropped
    raise SystemExit(str(exchange.missing("MXNet", error))) from None

VERSIONS = {"mxnet": mx.__version__, "numpy": np.__version__}


def vgg_block(num_convs, num_channels):
    blk = nn.HybridSequential()
    for _ in range(num_convs):
        blk.add(nn.Conv2D(num_channels, kernel_size=3,
                          padding=1, activation='relu'))
    blk.add(nn.MaxPool2D(pool_size=2, strides=2))
    return blk


def vgg(conv_arch, num_classes=10, dropout=0.5):
    net = nn.HybridSequential()
    for num_convs, num_channels in conv_arch:
        net.add(vgg_block(num_convs, num_channels))
    net.add(nn.Flatten(),
            nn.Dense(4096, activation='relu'),
            nn.Dropout(dropout),
            nn.Dense(4096, activation='relu'),
            nn.Dropout(dropout),
            nn.Dense(num_classes))
    return net


def make_net(conv_arch, in_channels, num_classes,
             input_size, dropout=0.5, ctx=None):
    net = vgg(conv_arch, num_classes, dropout)
    net.initialize(init.Xavier(), ctx=ctx)
    # One forward pass: only now do the weights have shapes.
    net(nd.zeros((1, in_channels, input_size, input_size),
                 ctx=ctx))
    return net


def export_weights(net):
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / 'net.params')
        net.save_parameters(path)
        return {name: value.asnumpy()
                for name, value in nd.load(path).items()}


def load_weights(net, weights):
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / 'net.params')
        nd.save(path, {name: nd.array(value)
                       for name, value in weights.items()})
        net.load_parameters(path)


def forward_backward(net, X, y):
    loss = gluon.loss.SoftmaxCrossEntropyLoss()
    with autograd.record():  # training mode lasts as long
        y_hat = net(nd.array(X))
        l = loss(y_hat, nd.array(y)).mean()  # from (B,)
    l.backward()
    params = net.collect_params().values()  # in order of depth
    return y_hat.asnumpy(), l.asscalar(), {
        name: p.grad().asnumpy()
        for name, p in zip(
            export_weights(net), params, strict=True)}


def sgd(net, lr):
    loss = gluon.loss.SoftmaxCrossEntropyLoss()
    trainer = gluon.Trainer(net.collect_params(), 'sgd',
                            {'learning_rate': lr})

    def step(X, y):
        with autograd.record():
            y_hat = net(nd.array(X))
            l = loss(y_hat, nd.array(y))  # (B,)
        l.backward()          # gradients of the sum
        trainer.step(len(y))  # and here divided by B
        return l.mean().asscalar(), y_hat.asnumpy()

    return step


def predict(net, X):
    return net(nd.array(X)).asnumpy()  # not recorded: no dropout


def layer_shapes(net, X):
    X, shapes = nd.array(X), []
    for layer in net:
        X = layer(X)
        shapes.append([type(layer).__name__, list(X.shape)])
    return shapes


def first_line(function):
    """Return the first line of the error that function raises, or what it returns."""
    try:
        return function()
    except (RuntimeError, mx.MXNetError) as error:
        return str(error).splitlines()[0]


def begun(layer, *initializer, ctx=None):
    layer.initialize(*initializer, ctx=ctx)
    return layer


def largest(parameter):
    return float(abs(parameter.data().asnumpy()).max())


def probes():
    """Return what Gluon does where nobody told it what to do, and how it owns a device.

    cpu(1) is a second device to MXNet's accounts, though the same processor computes on it, so
    what goes wrong between two devices can be shown without a GPU.
    """
    mx.random.seed(0)
    conv, dense, xavier = begun(nn.Conv2D(64, 3)), begun(nn.Dense(1000)), nn.Dense(1000)
    begun(xavier, init.Xavier())
    lazy, dropout = begun(nn.Conv2D(4, 3)), nn.Dropout(0.1)
    before = list(lazy.weight.shape)
    early = first_line(lambda: lazy.weight.data().shape)
    for layer, shape in ((conv, (1, 64, 8, 8)), (dense, (1, 1000)), (xavier, (1, 1000))):
        layer(nd.ones(shape))
    one = begun(nn.Conv2D(1, 3, strides=2, padding=1, use_bias=False), init.One())
    loss = gluon.loss.SoftmaxCrossEntropyLoss()(nd.ones((4, 3)), nd.array([0, 1, 2, 1]))
    with autograd.record():
        zeroed = float((dropout(nd.ones((100, 1000))).asnumpy() == 0).mean())
    narrow, small = begun(nn.Conv2D(5, 3)), begun(nn.Dense(3))
    narrow(nd.ones((1, 2, 8, 8)))
    small(nd.ones((1, 7)))
    x = nd.ones((2, 2))
    return {
        "default_conv_on_8x8": list(begun(nn.Conv2D(1, 3))(nd.ones((1, 1, 8, 8))).shape),
        "default_pool_on_8x8": list(nn.MaxPool2D(2)(nd.ones((1, 1, 8, 8))).shape),
        "ones_conv_stride_2_on_8x8": one(nd.ones((1, 1, 8, 8))).asnumpy()[0, 0].tolist(),
        "conv_weight_max": largest(conv.weight), "conv_bias_max": largest(conv.bias),
        "dense_weight_max": largest(dense.weight), "dense_bias_max": largest(dense.bias),
        "xavier_dense_std": float(xavier.weight.data().asnumpy().std()),
        "dropout_0.1_zeroed": zeroed,
        "fresh_dropout_0.5_zeroed": float(
            (nn.Dropout(0.5)(nd.ones((100, 1000))).asnumpy() == 0).mean()),
        "loss_shape": list(loss.shape),
        "conv_weight_shape": list(narrow.weight.shape),
        "dense_weight_shape": list(small.weight.shape),
        "weight_shape_before_data": before,
        "hwc_batch": first_line(lambda: list(begun(nn.Conv2D(4, 3))(nd.ones((1, 8, 8, 3))).shape)),
        "as_in_context_same_device_copies": x.as_in_context(mx.cpu()) is not x,
        "as_in_context_moves_to": str(x.as_in_context(mx.cpu(1)).context),
        "original_stays_on": str(x.context),
        "errors": {
            "weights before data": early,
            "data on another device": first_line(
                lambda: list(begun(nn.Dense(3), ctx=mx.cpu(1))(x).shape)),
            "trainer before reset_ctx": first_line(trainer_too_early),
        },
    }


def trainer_too_early():
    """Train one step after moving a network away from under its Trainer: it raises."""
    net = begun(nn.Dense(3))
    net(nd.ones((2, 2)))
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.1})
    net.collect_params().reset_ctx(mx.cpu(1))
    with autograd.record():
        l = net(nd.ones((2, 2), ctx=mx.cpu(1)))
    l.backward()
    trainer.step(2)
    return "no error"


if __name__ == "__main__":
    exchange.main(sys.modules[__name__])
