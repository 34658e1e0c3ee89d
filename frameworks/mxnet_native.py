"""The course's network as MXNet's users write it: HybridBlock, DataLoader, mx.metric, files."""

import sys
import time

import exchange
import mxnet_vgg as plain
from mxnet_vgg import (  # noqa: F401  (exchange asks for all of them)
    VERSIONS,
    autograd,
    export_weights,
    forward_backward,
    gluon,
    init,
    load_weights,
    mx,
    nd,
    nn,
    predict,
    vgg_block,
)


class VGG(nn.HybridBlock):
    def __init__(self, conv_arch, num_classes=10):
        super().__init__()
        self.blocks = nn.HybridSequential()
        for num_convs, num_channels in conv_arch:
            self.blocks.add(vgg_block(num_convs, num_channels))
        self.pool = nn.GlobalAvgPool2D()
        self.output = nn.Dense(num_classes)

    def hybrid_forward(self, F, x):
        return self.output(self.pool(self.blocks(x)))


def make_net(conv_arch, in_channels, num_classes, input_size, dropout=0.0):
    """Return the network with shapes, which come of one forward pass; it has no dropout."""
    net = VGG(conv_arch, num_classes)
    net.initialize(init.Xavier())
    net(nd.zeros((1, in_channels, input_size, input_size)))
    net.hybridize(static_alloc=True)
    return net


def fit(net, data, recipe, ctx=None):
    ctx = ctx or mx.cpu()  # or mx.gpu(0)
    loss = gluon.loss.SoftmaxCrossEntropyLoss()
    trainer = gluon.Trainer(
        net.collect_params(), 'sgd',
        {'learning_rate': recipe['lr'],
         'momentum': recipe['momentum']})
    train_iter = gluon.data.DataLoader(
        gluon.data.ArrayDataset(data['X'], data['y']),
        batch_size=recipe['batch_size'])
    mean_loss, acc = mx.metric.Loss(), mx.metric.Accuracy()
    epochs = []
    for _ in range(recipe['num_epochs']):
        start = time.time()
        mean_loss.reset()
        acc.reset()
        for X, y in train_iter:
            X, y = X.as_in_context(ctx), y.as_in_context(ctx)
            with autograd.record():
                y_hat = net(X)
                l = loss(y_hat, y)
            l.backward()
            trainer.step(len(y))
            mean_loss.update(None, l)
            acc.update(y, y_hat)
        epochs.append({
            'loss': float(mean_loss.get()[1]),
            'train_acc': float(acc.get()[1]),
            'seconds': time.time() - start})
    return epochs


def save_and_load(net, folder, X):
    path = folder / 'net.params'
    net.save_parameters(str(path))
    convs = [[layer for layer in block
              if isinstance(layer, nn.Conv2D)]
             for block in net.blocks]
    again = VGG([(len(block), block[0].weight.shape[0])
                 for block in convs])
    again.load_parameters(str(path))  # shapes come along
    return {'file_bytes': path.stat().st_size,
            'difference': float(
                abs(predict(again, X) - predict(net, X)).max())}


def imperative(net, lr):
    net.hybridize(False)
    return plain.sgd(net, lr)


def hybridized(net, lr):
    net.hybridize(static_alloc=True)
    return plain.sgd(net, lr)


sgd = hybridized  # so the proof is of the graph
WAYS = {"imperative": imperative, "hybridized": hybridized}


def layer_shapes(net, X):
    net.hybridize(False)
    return plain.layer_shapes([*net.blocks, net.pool, net.output], X)


def probes():
    return {}


if __name__ == "__main__":
    exchange.main(sys.modules[__name__])
