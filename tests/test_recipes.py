"""The strong recipe: each of its parts does what its name says."""

import pytest
import torch
from killed_run import make_net
from small_runs import own_loaders
from torch import nn

import d2lvgg
from d2lvgg import recipes


def test_the_books_recipe_is_plain_sgd():
    rule = recipes.make_recipe("book", make_net(), 0.05, 100)
    assert (rule.schedule, rule.average, rule.augment) == (None, None, None)
    assert [(group["lr"], group["momentum"], group["weight_decay"])
            for group in rule.optimizer.param_groups] == [(0.05, 0, 0)]


def test_decay_spares_norms_and_biases():
    net = make_net()
    decayed, spared = recipes.make_recipe("strong", net, 0.1, 100).optimizer.param_groups
    assert (decayed["weight_decay"] > 0, spared["weight_decay"]) == (True, 0)
    matrices = {p for layer in net.modules() if isinstance(layer, (nn.Conv2d, nn.Linear))
                for p in [layer.weight]}
    assert set(decayed["params"]) == matrices
    assert len(decayed["params"]) + len(spared["params"]) == len(list(net.parameters()))
    assert decayed["nesterov"]
    assert spared["nesterov"]


def test_the_rate_rises_to_lr_and_falls_to_almost_nothing():
    rule = recipes.make_recipe("strong", make_net(), 0.1, 100)
    rates = []
    for _ in range(100):
        rates.append(rule.optimizer.param_groups[0]["lr"])
        rule.optimizer.step()
        rule.schedule.step() if len(rates) < 100 else None
    assert max(rates) == pytest.approx(0.1)
    assert rates.index(max(rates)) == 19
    assert rates[0] < 0.005
    assert rates[-1] < 1e-5


def test_the_average_follows_the_weights_and_is_what_is_kept():
    net = make_net()
    rule = recipes.make_recipe("strong", net, 0.1, 1000)  # looks back over 20 steps
    weight, average = net[0][0].weight, rule.average.module[0][0].weight
    rule.average.update_parameters(net)
    before = weight.detach().clone()
    with torch.no_grad():
        weight += 1
    for step in range(1, 4):
        rule.average.update_parameters(net)
        expected = before + 1 - (1 - 1 / 20) ** step
        assert torch.allclose(average, expected, atol=1e-6)
    loaders = own_loaders(64, 32)
    history = d2lvgg.train(net, *loaders, 2, 0.05, "cpu", recipe="strong", precision="fp32")
    assert d2lvgg.evaluate_accuracy(net, loaders[1]) == history.epochs[-1]["test_acc"]


@pytest.mark.parametrize("channels", [1, 3])
def test_each_image_is_mirrored_and_moved_by_itself(channels):
    torch.manual_seed(0)
    image = torch.randint(1, 255, (channels, 6, 6), dtype=torch.uint8)
    made = recipes.flip_and_crop(image.expand(600, -1, -1, -1))
    assert made.dtype == torch.uint8
    expected = {}
    for flipped in (False, True):
        framed = nn.functional.pad(image.flip(2) if flipped else image, (1, 1, 1, 1))
        for down in range(3):
            for right in range(3):
                expected[flipped, down, right] = framed[:, down:down + 6, right:right + 6]
    counts = [sum(torch.equal(one, other) for one in made) for other in expected.values()]
    assert sum(counts) == 600  # each is one of the eighteen
    assert min(counts) >= 600 / 18 / 2
    assert max(counts) <= 600 / 18 * 2


def test_our_loader_augments_before_it_enlarges_and_others_after():
    loaders = own_loaders(16, 8, 8, resize=56)
    seen = []

    def spy(X):
        seen.append((X.shape, X.dtype))
        return X

    (X, _), *_ = loaders[0].replace(augment=spy)
    assert seen == [((8, 1, 28, 28), torch.uint8)] * 2
    assert X.shape == (8, 1, 56, 56)
    assert loaders[0].augment is None  # the loader that was given is as it was


def test_the_strong_recipe_learns():
    torch.manual_seed(0)
    loaders = own_loaders(640, 100)
    history = d2lvgg.train(make_net(), *loaders, 4, 0.1, recipe="strong")
    assert history.epochs[-1]["test_acc"] > 0.8


@pytest.mark.parametrize("num_steps", range(1, 10))
def test_the_strong_recipe_takes_few_steps(num_steps):
    loaders = own_loaders(4 * num_steps, 8, 4)
    history = d2lvgg.train(make_net(), *loaders, 1, 0.1, "cpu", recipe="strong")
    assert len(history.step_losses) == num_steps
    rule = recipes.make_recipe("strong", make_net(), 0.1, num_steps)
    rates = []
    for _ in range(num_steps):
        rates.append(rule.optimizer.param_groups[0]["lr"])
        rule.optimizer.step()
        rule.schedule.step()
    assert rates[0] == pytest.approx(0.004)
    assert max(rates[1:], default=0.1) == pytest.approx(0.1)  # the peak is reached
