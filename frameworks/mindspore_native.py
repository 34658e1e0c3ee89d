"""The course's network as MindSpore's users write it: Cell.construct, Model, dataset, jit."""

import sys
import time

import exchange
import mindspore_vgg as plain
import numpy as np
from mindspore_vgg import (  # noqa: F401  (exchange asks for all of them)
    VERSIONS,
    Tensor,
    export_weights,
    forward_backward,
    load_weights,
    ms,
    nn,
    predict,
    vgg_block,
)


class VGG(nn.Cell):
    def __init__(self, conv_arch, in_channels=1,
                 num_classes=10):
        super().__init__()
        blocks = []
        for num_convs, out_channels in conv_arch:
            blocks.append(vgg_block(
                num_convs, in_channels, out_channels))
            in_channels = out_channels
        self.blocks = nn.SequentialCell(blocks)
        self.output = nn.Dense(in_channels, num_classes)

    def construct(self, x):
        x = self.blocks(x)
        return self.output(x.mean((2, 3)))


def make_net(conv_arch, in_channels, num_classes, input_size, dropout=0.0):
    """Return the network; of input_size and dropout it needs none, and the others pass them."""
    return VGG(conv_arch, in_channels, num_classes)


class History(ms.Callback):
    def __init__(self):
        super().__init__()
        self.epochs = []

    def on_train_epoch_begin(self, run_context):
        self.start, self.losses = time.time(), []

    def on_train_step_end(self, run_context):
        loss = run_context.original_args().net_outputs
        self.losses.append(float(loss.asnumpy()))

    def on_train_epoch_end(self, run_context):
        self.epochs.append({
            'loss': float(np.mean(self.losses)),
            'seconds': time.time() - self.start})


def fit(net, data, recipe):
    train_data = ms.dataset.NumpySlicesDataset(
        (data['X'], data['y'].astype(np.int32)),
        ['image', 'label'], shuffle=False)
    train_data = train_data.batch(recipe['batch_size'])
    optimizer = nn.Momentum(
        net.trainable_params(), recipe['lr'],
        recipe['momentum'])
    model = ms.Model(net, nn.CrossEntropyLoss(), optimizer)
    history = History()
    model.train(recipe['num_epochs'], train_data,
                callbacks=history, dataset_sink_mode=False)
    return history.epochs


def save_and_load(net, folder, X):
    path = folder / 'net.ckpt'
    ms.save_checkpoint(net, str(path))
    again = VGG([(len([layer for layer in block if isinstance(layer, nn.Conv2d)]),
                  block[0].out_channels) for block in net.blocks])
    ms.load_param_into_net(
        again, ms.load_checkpoint(str(path)))
    return {'file_bytes': path.stat().st_size,
            'difference': float(
                abs(predict(again, X) - predict(net, X)).max())}


def pynative(net, lr):
    return plain.sgd(net, lr)


def graph(net, lr):
    loss = nn.CrossEntropyLoss()
    params = net.trainable_params()
    optimizer = nn.SGD(params, learning_rate=lr)
    net.set_train()

    def forward(X, y):  # jit reads its source: no lambda
        return loss(net(X), y)

    grad_fn = ms.value_and_grad(forward, None, params)

    @ms.jit
    def whole_step(X, y):
        l, grads = grad_fn(X, y)
        optimizer(grads)
        return l

    def step(X, y):
        l = whole_step(Tensor(X), Tensor(y, ms.int32))
        return float(l.asnumpy()), None

    return step


sgd = graph  # so the proof is of the graph
WAYS = {"pynative": pynative, "graph": graph}


def layer_shapes(net, X):
    X, shapes = Tensor(X), []
    for layer in net.blocks:
        X = layer(X)
        shapes.append([type(layer).__name__, list(X.shape)])
    return shapes


def probes():
    return {}


if __name__ == "__main__":
    exchange.main(sys.modules[__name__])
