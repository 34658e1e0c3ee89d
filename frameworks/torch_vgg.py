"""The course's own side of the comparison: d2lvgg.vgg in PyTorch."""

import sys

import exchange
import torch
from torch import nn

from d2lvgg import vgg

VERSIONS = {"torch": torch.__version__.split("+")[0]}


def make_net(conv_arch, in_channels, num_classes,
             input_size, dropout=0.5):
    return vgg(conv_arch, in_channels=in_channels,
               num_classes=num_classes,
               input_size=input_size, dropout=dropout)


def export_weights(net):
    return {name: value.numpy().copy()
            for name, value in net.state_dict().items()}


def load_weights(net, weights):
    net.load_state_dict({name: torch.tensor(value)
                         for name, value in weights.items()})


def forward_backward(net, X, y):
    y_hat = net(torch.tensor(X))
    l = nn.CrossEntropyLoss()(y_hat, torch.tensor(y))
    net.zero_grad()
    l.backward()
    return y_hat.detach().numpy(), l.item(), {
        name: p.grad.numpy()
        for name, p in net.named_parameters()}


def sgd(net, lr):
    loss = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=lr)

    def step(X, y):
        optimizer.zero_grad()
        y_hat = net(torch.tensor(X))
        l = loss(y_hat, torch.tensor(y))  # the batch's mean
        l.backward()
        optimizer.step()
        return l.item(), y_hat.detach().numpy()

    return step


def predict(net, X):
    was_training = net.training
    net.eval()
    with torch.inference_mode():
        y_hat = net(torch.tensor(X)).numpy()
    net.train(was_training)
    return y_hat


def layer_shapes(net, X):
    X, shapes = torch.tensor(X), []
    for layer in net:
        X = layer(X)
        shapes.append([type(layer).__name__, list(X.shape)])
    return shapes


def probes():
    """Return what PyTorch does where nobody told it what to do: see the lesson's last part."""
    torch.manual_seed(0)
    conv, dense = nn.Conv2d(64, 64, 3), nn.Linear(1000, 1000)
    xavier = nn.init.xavier_uniform_(torch.empty(1000, 1000))
    ones = torch.ones(100, 1000)
    one = nn.Conv2d(1, 1, 3, stride=2, padding=1, bias=False)
    nn.init.ones_(one.weight)
    try:
        hwc_batch = list(nn.Conv2d(3, 4, 3)(torch.ones(1, 8, 8, 3)).shape)
    except RuntimeError as error:
        hwc_batch = str(error)
    loss = nn.CrossEntropyLoss()(torch.ones(4, 3), torch.tensor([0, 1, 2, 1]))
    return {
        "default_conv_on_8x8": list(nn.Conv2d(1, 1, 3)(torch.ones(1, 1, 8, 8)).shape),
        "default_pool_on_8x8": list(nn.MaxPool2d(2)(torch.ones(1, 1, 8, 8)).shape),
        "ones_conv_stride_2_on_8x8": one(torch.ones(1, 1, 8, 8))[0, 0].tolist(),
        "conv_weight_max": conv.weight.abs().max().item(),
        "conv_bias_max": conv.bias.abs().max().item(),
        "dense_weight_max": dense.weight.abs().max().item(),
        "dense_bias_max": dense.bias.abs().max().item(),
        "xavier_dense_std": xavier.std().item(),
        "dropout_0.1_zeroed": (nn.Dropout(0.1)(ones) == 0).float().mean().item(),
        "fresh_dropout_0.5_zeroed": (nn.Dropout(0.5)(ones) == 0).float().mean().item(),
        "loss_shape": list(loss.shape),
        "conv_weight_shape": list(nn.Conv2d(2, 5, 3).weight.shape),
        "dense_weight_shape": list(nn.Linear(7, 3).weight.shape),
        "weight_shape_before_data": list(nn.Conv2d(1, 4, 3).weight.shape),
        "hwc_batch": hwc_batch,
        "errors": {},
    }


if __name__ == "__main__":
    exchange.main(sys.modules[__name__])
