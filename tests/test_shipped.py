"""The network that the course ships: what its card says, its form, and how it is made anew."""

import pytest
import torch
from torch import nn

import d2lvgg
from d2lvgg import shipped
from d2lvgg.data import ImageLoader
from d2lvgg.training import evaluate_accuracy
from tools import pretrain


@pytest.fixture(scope="module")
def net():
    return d2lvgg.pretrained()


def test_its_file_is_small_and_its_card_says_how_it_came_to_be(net):
    assert (shipped.FOLDER / shipped.WEIGHTS).stat().st_size <= 2e6
    card = net.card
    assert card["test_accuracy"] > 0.945
    assert card["command"] == "python -m tools.pretrain"
    assert {"machine", "minutes", "precision"} <= set(card)
    assert (card["lr"], card["seed"], card["num_epochs"], card["batch_size"]) == (
        pretrain.LR, pretrain.SEED, pretrain.NUM_EPOCHS, pretrain.BATCH_SIZE)
    assert net.size == shipped.SIZE
    assert len(card["train_loss"]) == pretrain.NUM_EPOCHS
    wrong = sum(card["mistakes"].values())
    assert wrong == round(10_000 * (1 - card["test_accuracy"]))
    assert card["examples"] == 60_000 * pretrain.NUM_EPOCHS


def test_folded_it_is_plain_blocks_and_computes_the_same(net):
    as_trained = d2lvgg.pretrained(fold=False)
    assert sum(p.numel() for p in as_trained.parameters()) == 579_498
    assert any(isinstance(layer, nn.BatchNorm2d) for layer in as_trained.modules())
    plain = shipped.pooled_vgg(batch_norm=False)
    plain.load_state_dict(net.state_dict())  # the same layers, under the same names
    assert str(plain) == str(net)
    assert not net.training
    X, _ = d2lvgg.garments()
    with torch.no_grad():
        torch.testing.assert_close(net(X), as_trained(X), rtol=0, atol=1e-4)  # to rounding
        exact = as_trained.double()
        torch.testing.assert_close(shipped.fold_batch_norm(exact)(X.double()), exact(X.double()),
                                   rtol=0, atol=1e-11)


def test_folding_leaves_the_network_that_it_folds_as_it_was():
    as_trained = d2lvgg.pretrained(fold=False)
    before = {name: value.clone() for name, value in as_trained.state_dict().items()}
    shipped.fold_batch_norm(as_trained)
    assert all(torch.equal(value, before[name])
               for name, value in as_trained.state_dict().items())


def test_the_three_garments_are_what_the_course_says_of_them(net):
    X, y = d2lvgg.garments()
    assert X.shape == (3, 1, shipped.SIZE, shipped.SIZE)
    assert [d2lvgg.LABELS[label] for label in y] == ["ankle boot", "pullover", "shirt"]
    with torch.no_grad():
        sure = net(X).softmax(dim=1)
    assert sure[0, y[0]] > 0.9
    best, second = sure[1].topk(2).values
    assert sure[1].argmax() == y[1]
    assert best < 0.6
    assert second > 0.2
    assert sure[2].argmax() != y[2]
    assert sure[2].max() > best


def test_a_stopped_run_goes_on_and_the_test_set_is_looked_at_once(tmp_path, monkeypatch):
    few = {"size": 32, "num_epochs": 2, "num_train": 256, "num_test": 64}
    looks = []
    evaluate = pretrain.evaluate_accuracy

    def watched(net, loader):
        looks.append(len(loader.labels))
        return evaluate(net, loader)

    monkeypatch.setattr(pretrain, "evaluate_accuracy", watched)
    pretrain.make(tmp_path / "whole", **few)
    assert looks == [64]
    passes, batches = [], ImageLoader.__iter__

    def cut_short(loader):
        if loader.augment:  # training images alone are changed
            passes.append(loader)
            if len(passes) == 2:
                raise MemoryError("killed")
        return batches(loader)

    monkeypatch.setattr(ImageLoader, "__iter__", cut_short)
    with pytest.raises(MemoryError, match="killed"):
        pretrain.make(tmp_path / "cut", **few)
    pretrain.make(tmp_path / "cut", **few)
    assert len(passes) == 3  # the first epoch is not trained again
    whole, cut = (d2lvgg.pretrained(fold=False, folder=tmp_path / name)
                  for name in ("whole", "cut"))
    for name, value in whole.state_dict().items():
        assert torch.equal(value, cut.state_dict()[name]), name
    assert whole.card["test_accuracy"] == cut.card["test_accuracy"]
    assert whole.size == 32


@pytest.mark.slow
def test_its_accuracy_is_what_its_card_says(net):
    _, test_iter = d2lvgg.load_data_fashion_mnist(250, net.size, num_train=1)
    found = evaluate_accuracy(net, test_iter, precision="fp32")
    assert found == pytest.approx(net.card["test_accuracy"], abs=2e-4)
