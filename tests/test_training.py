"""train against the book's train_ch6, step for step, and what it does when things go wrong."""

import math
import signal
import subprocess
import sys
import time

import pytest
import torch
from d2l import torch as d2l
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import d2lvgg
from d2lvgg import evaluate_accuracy, train, training, vgg
from d2lvgg.data import read_fashion_mnist

SMALL = ((1, 4), (1, 8))


def small_net(**options):
    torch.manual_seed(0)
    body = vgg(SMALL, input_size=28, **options)
    return nn.Sequential(*body[:3], nn.Linear(8 * 7 * 7, 32), nn.ReLU(), nn.Dropout(0.5),
                         nn.Linear(32, 10))


def small_loaders(num_train=200, num_test=50, batch_size=16, shuffle=True):
    sets = []
    for count, (images, labels) in zip((num_train, num_test), read_fashion_mnist(), strict=True):
        sets.append(TensorDataset(torch.tensor(images[:count, None]) / 255,
                                  torch.tensor(labels[:count], dtype=torch.int64)))
    return (DataLoader(sets[0], batch_size, shuffle=shuffle), DataLoader(sets[1], batch_size))


class RecordingLoss(nn.CrossEntropyLoss):
    steps = []

    def forward(self, y_hat, y):
        value = super().forward(y_hat, y)
        self.steps.append(value.item())
        return value


class RecordingAnimator:
    points = []

    def __init__(self, *_args, **_options):
        pass

    def add(self, x, y):
        self.points.append((x, y))


def test_every_step_is_the_books(monkeypatch):
    monkeypatch.setattr(d2l, "Animator", RecordingAnimator)
    with monkeypatch.context() as patch:
        patch.setattr(nn, "CrossEntropyLoss", RecordingLoss)
        RecordingLoss.steps, RecordingAnimator.points = [], []
        net, loaders = small_net(), small_loaders(640)
        torch.manual_seed(1)
        d2l.train_ch6(net, *loaders, 3, 0.1, torch.device("cpu"))
    net, loaders = small_net(), small_loaders(640)
    torch.manual_seed(1)
    history = train(net, *loaders, 3, 0.1, torch.device("cpu"), precision="fp32",
                    channels_last=False)
    assert len(history.step_losses) == 3 * 40
    assert history.step_losses == pytest.approx(RecordingLoss.steps, abs=1e-5)
    assert min(RecordingLoss.steps) < 1.5  # it learned, so the comparison means something
    last = {x: y for x, y in RecordingAnimator.points if y[0] is not None}
    tests = {x: y[2] for x, y in RecordingAnimator.points if y[2] is not None}
    for row in history.epochs:
        loss, accuracy, _ = last[row["epoch"]]
        assert row["train_loss"] == pytest.approx(loss, abs=1e-6)
        assert row["train_acc"] == accuracy
        assert row["test_acc"] == tests[row["epoch"]]


def test_the_books_call_with_the_books_loaders(monkeypatch, tmp_path):
    # The book's loader reads ../data in torchvision's layout; give it a small one.
    (images, labels), (test_images, test_labels) = read_fashion_mnist()
    sets = {True: (images[:64], labels[:64]), False: (test_images[:32], test_labels[:32])}

    class Folder(torch.utils.data.Dataset):
        def __init__(self, root, train, transform, download):
            self.pictures, self.labels = sets[train]
            self.transform = transform

        def __len__(self):
            return len(self.labels)

        def __getitem__(self, i):
            from PIL import Image
            return self.transform(Image.fromarray(self.pictures[i])), int(self.labels[i])

    monkeypatch.setattr(d2l.torchvision.datasets, "FashionMNIST", Folder)
    monkeypatch.setattr(d2l, "get_dataloader_workers", lambda: 0)
    loaders = d2l.load_data_fashion_mnist(32, resize=28)
    history = train(small_net(), *loaders, 2, 0.05, d2l.try_gpu())
    assert len(history.epochs) == 2
    assert history.to_frame().examples.tolist() == [64, 64]


@pytest.mark.parametrize(("num_train", "num_epochs"), [(10, 1), (16, 2), (40, 1)])
def test_one_batch_and_one_epoch_work(num_train, num_epochs):
    history = train(small_net(), *small_loaders(num_train), num_epochs, 0.05)
    assert len(history.step_losses) == num_epochs * math.ceil(num_train / 16)
    assert history.animator.X[0][-1] == num_epochs
    assert history.animator.X[2] == list(range(1, num_epochs + 1))


def test_history_counts_all_the_time_and_the_book_some_of_it():
    class SlowLoader(list):
        def __iter__(self):
            for batch in super().__iter__():
                time.sleep(0.05)
                yield batch

    batches = SlowLoader((torch.rand(8, 1, 28, 28), torch.arange(8)) for _ in range(4))
    history = train(small_net(), batches, batches[:1], 1, 0.01)
    row = history.epochs[0]
    assert row["examples"] == 32
    assert row["examples_per_sec"] == row["examples"] / row["seconds"]
    assert row["book_examples_per_sec"] == row["examples"] / row["book_seconds"]
    assert row["seconds"] - row["book_seconds"] >= 4 * 0.05  # loading is left out by the book
    text = str(history)
    assert "examples/sec on cpu" in text
    assert "by the book's timer" in text


class InterruptedLoader(list):
    """Raises KeyboardInterrupt where a user would press stop."""

    def __init__(self, batches, at):
        super().__init__(batches)
        self.at, self.served = at, 0

    def __iter__(self):
        for batch in super().__iter__():
            if self.served == self.at:
                raise KeyboardInterrupt
            self.served += 1
            yield batch


def test_ctrl_c_keeps_the_history_and_the_plot_and_can_be_run_again(capsys):
    train_iter, test_iter = small_loaders()
    net, loader = small_net(), InterruptedLoader(train_iter, at=13 + 5)
    history = train(net, loader, test_iter, 5, 0.05)
    assert history.interrupted
    assert len(history.epochs) == 1
    assert len(history.step_losses) == 13 + 5
    assert "interrupted after 1 whole epochs" in capsys.readouterr().out
    assert history.animator.Y[2] == [history.epochs[0]["test_acc"]]
    again = train(net, train_iter, test_iter, 1, 0.05)
    assert not again.interrupted
    first_batch = train(net, InterruptedLoader(train_iter, at=0), test_iter, 1, 0.05)
    assert (first_batch.epochs, first_batch.step_losses) == ([], [])
    assert first_batch.to_frame().empty


def test_a_real_ctrl_c_ends_the_command_with_its_curve(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "d2lvgg", "train", "--scale", "laptop", "--out",
         str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        # What a shell starts in the background ignores Ctrl-C, and so would this process.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    for line in process.stdout:
        if line.startswith("training on"):
            break
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "interrupted before the end of the first epoch" in rest
    assert (tmp_path / "curve.svg").exists()


def test_training_learns_on_our_own_loader():
    torch.manual_seed(0)
    loaders = d2lvgg.load_data_fashion_mnist(16, num_train=1280, num_test=200, seed=0)
    history = train(small_net(), *loaders, 4, 0.1)
    assert history.epochs[-1]["test_acc"] > 0.6
    assert "drawn" not in history.animator.text
    assert "drawn" not in str(history)


def test_a_run_on_drawn_images_says_so_in_its_plot_and_its_words():
    loaders = d2lvgg.load_data_cifar10(16, num_train=64, num_test=16, source="sketch", seed=0)
    net = vgg(SMALL, in_channels=3, input_size=32)
    net = nn.Sequential(*net[:3], nn.Linear(8 * 8 * 8, 10))
    history = train(net, *loaders, 1, 0.1)
    assert "on drawn shapes, not CIFAR-10" in history.animator.text
    assert "compare with nothing published" in str(history)


def test_precision_is_what_the_machine_has_or_what_was_asked_for():
    loaders = small_loaders(32)
    auto = train(small_net(), *loaders, 1, 0.1).precision
    assert auto == ("bf16" if d2lvgg.scale.has_fast_bf16(d2lvgg.try_gpu()) else "fp32")
    net = small_net()
    assert train(net, *loaders, 1, 0.1, "cpu", precision="bf16").precision == "bf16"
    assert all(p.dtype == torch.float32 for p in net.parameters())


def test_init_weights_false_keeps_what_was_learned():
    loaders = small_loaders(160)
    net = small_net()
    before = train(net, *loaders, 4, 0.1).epochs[-1]["train_loss"]
    on = train(net, *loaders, 1, 0.01, init_weights=False).epochs[-1]["train_loss"]
    anew = train(net, *loaders, 1, 0.01).epochs[-1]["train_loss"]
    assert on < before + 0.2 < anew


def test_accuracy_counts_every_example_once_and_leaves_the_mode():
    net = small_net()
    _, test_iter = small_loaders(num_test=37)
    net.eval()
    right = total = 0
    with torch.no_grad():
        for X, y in test_iter:
            right += int((net(X).argmax(1) == y).sum())
            total += len(y)
    for mode in (True, False):
        net.train(mode)
        assert evaluate_accuracy(net, test_iter) == right / 37
        assert net.training is mode
    assert total == 37
    with pytest.raises(ValueError, match="no examples to evaluate on"):
        evaluate_accuracy(net, [])


@pytest.mark.parametrize(("change", "words"), [
    ({"num_epochs": 0}, "num_epochs is 0"), ({"num_epochs": 1.5}, "num_epochs is 1.5"),
    ({"lr": 0}, "lr is 0"), ({"lr": -1.0}, "lr is -1.0"), ({"lr": math.nan}, "lr is nan"),
    ({"precision": "fp16"}, "'fp16': choose one of 'auto', 'fp32', 'bf16'"),
    ({"recipe": "best"}, "recipe is 'best': choose one of 'book', 'strong'"),
    ({"compile": "yes"}, "compile is 'yes': choose one of 'auto', True, False"),
    ({"train_iter": []}, "no batches"), ({"train_iter": iter([])}, "does not say how many")])
def test_bad_arguments_are_refused_before_anything_changes(change, words):
    net = small_net()
    before = [p.clone() for p in net.parameters()]
    train_iter, test_iter = small_loaders(16)
    options = {"train_iter": train_iter, "num_epochs": 1, "lr": 0.1, **change}
    with pytest.raises(ValueError, match=words):
        train(net, test_iter=test_iter, **options)
    assert all(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))


def test_colour_pictures_into_a_grey_network_are_refused_in_words():
    batch = [(torch.rand(4, 3, 28, 28), torch.arange(4))]
    with pytest.raises(ValueError, match=r"shape \(4, 3, 28, 28\).*takes \(batch, 1, height"):
        train(small_net(), batch, batch, 1, 0.1)
    with pytest.raises(ValueError, match="in_channels"):
        evaluate_accuracy(small_net(), batch)


def test_pictures_of_another_size_are_refused_in_words():
    batch = [(torch.rand(4, 1, 40, 40), torch.arange(4))]
    with pytest.raises(ValueError, match=r"refuses an input of shape"):
        train(small_net(), batch, batch, 1, 0.1)


def test_xavier_is_the_books():
    net = small_net()
    torch.manual_seed(2)
    net.apply(training.init_xavier)
    torch.manual_seed(2)
    for layer in net.modules():
        if type(layer) in (nn.Linear, nn.Conv2d):
            assert torch.equal(layer.weight, nn.init.xavier_uniform_(
                torch.empty_like(layer.weight)))


def test_a_loader_that_ends_early_or_holds_nothing():
    class Ends(list):
        def __init__(self, batches, served):
            super().__init__(batches)
            self.served = served

        def __iter__(self):
            return iter(self[:self.served])

    batches = [(torch.rand(4, 1, 28, 28), torch.arange(4))] * 30
    history = train(small_net(), Ends(batches, 3), batches[:1], 2, 0.01)
    assert history.to_frame().examples.tolist() == [12, 12]
    assert len(history.step_losses) == 6
    with pytest.raises(ValueError, match="gave no batch in epoch 1"):
        train(small_net(), Ends(batches, 0), batches[:1], 2, 0.01)


def test_a_loss_that_is_no_number_stops_the_run_at_once_with_advice(capsys):
    loaders = small_loaders(640)
    history = train(small_net(), *loaders, 10, 1e12, "cpu", precision="fp32")
    assert history.epochs == []
    assert not all(math.isfinite(l) for l in history.step_losses)
    assert len(history.step_losses) <= 40 / 20 + 2  # of 400: at the next point of the plot
    words = capsys.readouterr().out
    assert "stopped: the loss was no longer a number" in words
    assert "lr=2.5e+11" in words
    assert str(history).count("stopped") == 1


class Roomless(nn.Module):
    """A network whose device has room for `room` pictures."""

    def __init__(self, room):
        super().__init__()
        self.net, self.room = small_net(), room

    def forward(self, X):
        if len(X) > self.room:
            raise torch.OutOfMemoryError("out of memory")
        return self.net(X)


@pytest.mark.parametrize(("room", "words"), [
    (7, r"a batch of 16 pictures of \(1, 28, 28\) does not fit.*a batch of 4 does"),
    (0, "not one picture")])
def test_out_of_memory_says_which_batch_fits(room, words):
    with pytest.raises(MemoryError, match=words):
        train(Roomless(room), *small_loaders(32), 1, 0.1, "cpu")


def test_compile_leaves_the_odd_last_batch_alone(monkeypatch):
    sizes = []

    def compiled(net):
        def run(X):
            sizes.append(len(X))
            return net(X)
        return run

    monkeypatch.setattr(torch, "compile", compiled)
    history = train(small_net(), *small_loaders(40), 2, 0.1, "cpu", compile=True)
    assert sizes == [16, 16, 16, 16]  # and the 8 left over ran uncompiled
    assert history.to_frame().examples.tolist() == [40, 40]
    assert training.wants_compile("auto", torch.device("cpu")) is False  # it is slower there


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU to be made to wait")
def test_no_step_makes_a_gpu_wait(monkeypatch):
    fetch = training.Progress.fetch

    def allowed(self):
        torch.cuda.set_sync_debug_mode("default")
        fetch(self)
        torch.cuda.set_sync_debug_mode("error")

    loaders = d2lvgg.load_data_fashion_mnist(16, num_train=640, num_test=64, seed=0)
    monkeypatch.setattr(training.Progress, "fetch", allowed)
    monkeypatch.setattr(training, "count_right", lambda *_: (0, 1))
    try:
        history = train(small_net(), *loaders, 1, 0.1, "cuda", compile=False)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert len(history.step_losses) == 40


@pytest.mark.parametrize("batch_norm", [False, True])
def test_pooling_before_relu_changes_no_output_and_no_gradient(batch_norm):
    torch.manual_seed(0)
    net = vgg(((2, 4), (1, 8)), input_size=28, dropout=0, batch_norm=batch_norm)
    net = nn.Sequential(*net[:3], nn.Linear(8 * 7 * 7, 10))
    swapped = training.pool_first(net)
    assert [type(layer).__name__ for layer in swapped[0]][-2:] == ["MaxPool2d", "ReLU"]
    assert [type(layer).__name__ for layer in net[0]][-2:] == ["ReLU", "MaxPool2d"]
    # Whole numbers make many ties, between which a pool must choose alike in both orders.
    X = torch.randint(-2, 3, (8, 1, 28, 28)).float()
    before = net(X)
    before.square().sum().backward()
    gradients = [p.grad.clone() for p in net.parameters()]
    net.zero_grad()
    after = swapped(X)
    after.square().sum().backward()
    assert torch.equal(before, after)
    for gradient, p in zip(gradients, net.parameters(), strict=True):
        assert torch.allclose(gradient, p.grad, rtol=1e-5, atol=1e-6)
