"""train against the book's train_ch6, step for step, and what it does when things go wrong."""

import math
import signal
import subprocess
import sys
import time

import pytest
import torch
from d2l import torch as d2l
from small_runs import make_images, own_loaders, plain_loaders, small_net
from torch import nn
from torch.utils.data import DataLoader, IterableDataset

import d2lvgg
from d2lvgg import evaluate_accuracy, fast_form, train, training, vgg


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
        net, loaders = small_net(), plain_loaders(640)
        torch.manual_seed(1)
        d2l.train_ch6(net, *loaders, 3, 0.1, torch.device("cpu"))
    net, loaders = small_net(), plain_loaders(640)
    torch.manual_seed(1)
    history = train(net, *loaders, 3, 0.1, torch.device("cpu"), precision="fp32",
                    channels_last=False)
    assert len(history.step_losses) == 3 * 40
    assert history.step_losses == RecordingLoss.steps
    assert min(RecordingLoss.steps) < 1.5  # it learned, so the comparison means something
    last = {x: y for x, y in RecordingAnimator.points if y[0] is not None}
    tests = {x: y[2] for x, y in RecordingAnimator.points if y[2] is not None}
    for row in history.epochs:
        loss, accuracy, _ = last[row["epoch"]]
        assert row["train_loss"] == pytest.approx(loss, rel=1e-12)
        assert row["train_acc"] == accuracy
        assert row["test_acc"] == tests[row["epoch"]]


def test_the_books_call_with_the_books_loaders(monkeypatch, tmp_path):
    # The book's loader reads ../data in torchvision's layout; give it a small one.
    sets = {True: make_images(64, 0), False: make_images(32, 1)}

    class Folder(torch.utils.data.Dataset):
        def __init__(self, root, train, transform, download):
            self.images, self.labels = sets[train]
            self.transform = transform

        def __len__(self):
            return len(self.labels)

        def __getitem__(self, i):
            from PIL import Image
            return self.transform(Image.fromarray(self.images[i, 0])), int(self.labels[i])

    monkeypatch.setattr(d2l.torchvision.datasets, "FashionMNIST", Folder)
    monkeypatch.setattr(d2l, "get_dataloader_workers", lambda: 0)
    loaders = d2l.load_data_fashion_mnist(32, resize=28)
    history = train(small_net(), *loaders, 2, 0.05, d2l.try_gpu())
    assert len(history.epochs) == 2
    assert history.to_frame().examples.tolist() == [64, 64]


@pytest.mark.parametrize(("num_train", "num_epochs"), [(10, 1), (16, 2), (40, 1)])
def test_one_batch_and_one_epoch_work(num_train, num_epochs):
    history = train(small_net(), *plain_loaders(num_train), num_epochs, 0.05)
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
    train_iter, test_iter = plain_loaders()
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


def test_ctrl_c_before_the_first_step_ends_quietly(monkeypatch):
    def interrupted(*_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "make_recipe", interrupted)
    history = train(small_net(), *plain_loaders(32), 1, 0.1, "cpu")
    assert history.interrupted
    assert (history.epochs, history.step_losses) == ([], [])


def test_a_real_ctrl_c_ends_the_command_with_its_curve(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "d2lvgg", "train", "--scale", "laptop", "--out", tmp_path],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        # What a shell starts in the background ignores Ctrl-C, and so would this process.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    for line in process.stdout:
        if line.startswith("training on"):
            break
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "interrupted after 0 whole epochs" in rest
    assert (tmp_path / "curve.svg").exists()


def test_training_learns_on_our_own_loader():
    torch.manual_seed(0)
    history = train(small_net(), *own_loaders(640, 100, source="drawn sketch set"), 3, 0.1)
    assert history.epochs[-1]["test_acc"] > 0.6
    assert "drawn images" in history.animator.text
    assert "compare with nothing published" in str(history)


def test_precision_is_what_the_machine_has_or_what_was_asked_for():
    loaders = plain_loaders(32)
    auto = train(small_net(), *loaders, 1, 0.1).precision
    assert auto == d2lvgg.devices.pick_precision("auto", d2lvgg.try_gpu())
    for precision in ("bf16", "fp16"):
        net = small_net()
        history = train(net, *loaders, 1, 0.1, "cpu", precision=precision)
        assert history.precision == precision
        assert all(p.dtype == torch.float32 for p in net.parameters())


def test_init_weights_false_keeps_what_was_learned():
    loaders = plain_loaders(160)
    net = small_net()
    before = train(net, *loaders, 4, 0.1).epochs[-1]["train_loss"]
    on = train(net, *loaders, 1, 0.01, init_weights=False).epochs[-1]["train_loss"]
    anew = train(net, *loaders, 1, 0.01).epochs[-1]["train_loss"]
    assert on < before + 0.2 < anew


def test_accuracy_counts_every_example_once_and_leaves_the_mode():
    net = small_net()
    _, test_iter = plain_loaders(num_test=37)
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


class Stream(IterableDataset):
    def __iter__(self):
        return iter([])


@pytest.mark.parametrize(("change", "words"), [
    ({"num_epochs": 0}, "num_epochs is 0"), ({"num_epochs": 1.5}, "num_epochs is 1.5"),
    ({"lr": 0}, "lr is 0"), ({"lr": -1.0}, "lr is -1.0"), ({"lr": math.nan}, "lr is nan"),
    ({"lr": "0.1"}, "lr is '0.1'"), ({"lr": [0.1]}, r"lr is \[0.1\]"),
    ({"lr": math.inf}, "lr is inf"),
    ({"num_epochs": "2"}, "num_epochs is '2'"),
    ({"precision": "fp8"}, "'fp8': choose one of 'auto', 'fp32', 'bf16', 'fp16'"),
    ({"recipe": "best"}, "recipe is 'best': choose one of 'book', 'strong'"),
    ({"train_iter": []}, "train_iter has no batches"),
    ({"test_iter": []}, "test_iter has no batches"),
    ({"train_iter": DataLoader(Stream(), 4)}, "does not say how many"),
    ({"train_iter": iter([])}, "does not say how many")])
def test_bad_arguments_are_refused_before_anything_changes(change, words):
    net = small_net()
    before = [p.clone() for p in net.parameters()]
    train_iter, test_iter = plain_loaders(16)
    options = {"train_iter": train_iter, "test_iter": test_iter, "num_epochs": 1, "lr": 0.1}
    with pytest.raises(ValueError, match=words):
        train(net, **{**options, **change})
    assert all(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))


def changed(X=lambda X: X, y=lambda y: y):
    return [(X(images), y(labels)) for images, labels in plain_loaders(16)[0]]


class Named(nn.Module):
    """The small network behind a forward of its own, which no table of shapes describes."""

    def __init__(self):
        super().__init__()
        self.inside = small_net()

    def forward(self, X):
        return self.inside(X)


@pytest.mark.parametrize("make", [small_net, Named])
@pytest.mark.parametrize(("batches", "words"), [
    (changed(X=lambda X: X.expand(-1, 3, -1, -1)), r"\(16, 3, 28, 28\).*takes \(batch, 1, "),
    (changed(X=lambda X: (255 * X).byte()), r"bytes from 0 to 255: .* X.float\(\) / 255"),
    (changed(X=lambda X: X[..., :20]), r"(refuses an input|fails on a batch) of shape"),
    (changed(y=lambda y: y + 1), "a label 10, and the network has 10 outputs, for .*0 to 9"),
    (changed(y=lambda y: y - 1), "there is a label -1"),
    (changed(y=lambda y: y.int()), "type torch.int32: give .*each image's class, as int64"),
    (changed(y=lambda y: nn.functional.one_hot(y, 10).float()), r"shape \(16, 10\).*y.argmax"),
    ([(X[:10], torch.eye(10)) for X, y in changed()], r"labels have shape \(10, 10\)"),
    ([{"images": X, "labels": y} for X, y in changed()], "batches of type dict: give pairs"),
    ([(X, y, y) for X, y in changed()], "batches of type tuple: give pairs"),
    ([(X.numpy(), y) for X, y in changed()], "give pairs of tensors")])
def test_a_batch_that_does_not_fit_changes_nothing(tmp_path, make, batches, words):
    net = make().eval()
    net.register_buffer("seen", torch.zeros(1))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    for layer in net.modules():  # as a bad learner would leave a batch norm
        layer.register_forward_hook(lambda *_: net.seen.add_(1) and None)
    path = tmp_path / "run.pt"
    with pytest.raises(ValueError, match=words) as caught:
        train(net, batches, batches, 1, 0.1, "cpu", checkpoint=path)
    assert "\n" not in str(caught.value).partition(": ")[0]
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert not any(layer.training for layer in net.modules())
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match=words):
        evaluate_accuracy(net, batches)


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
    loaders = plain_loaders(640)
    history = train(small_net(), *loaders, 10, 1e20, "cpu", precision="fp32")
    assert history.epochs == []
    assert not all(math.isfinite(l) for l in history.step_losses)
    assert len(history.step_losses) <= 40 / 20 + 2  # of 400: at the next point of the plot
    words = capsys.readouterr().out
    assert "stopped: the loss was no longer a number" in words
    assert "lr=2.5e+19" in words
    assert str(history).count("stopped") == 1


class Roomless(nn.Module):
    """A network whose device has no room for a batch, in the given device's words."""

    def __init__(self, error):
        super().__init__()
        self.net, self.error = small_net(), error

    def forward(self, X):
        raise self.error


@pytest.mark.parametrize("error", [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 3.45 GiB."),
    RuntimeError("MPS backend out of memory (MPS allocated: 9.00 GB)"),
    RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to ...")])
def test_out_of_memory_says_to_halve_the_batch(error):
    words = r"a batch of 16 images of shape \(1, 28, 28\) does not fit .* cpu: halve the batch"
    with pytest.raises(MemoryError, match=words):
        train(Roomless(error), *plain_loaders(32), 1, 0.1, "cpu")
    with pytest.raises(MemoryError, match=words):
        evaluate_accuracy(Roomless(error), plain_loaders(32)[0])


def test_a_batch_too_large_for_the_processor_is_one_sentence():
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10), Huge())
    with pytest.raises(MemoryError, match="halve the batch"):
        train(net, *plain_loaders(32), 1, 0.1, "cpu")


class Huge(nn.Module):
    def forward(self, X):
        return X.repeat(2**40, 2**10)


def test_a_compiled_network_is_taken_like_any_other():
    torch.manual_seed(3)
    plain = train(small_net(), *plain_loaders(40), 1, 0.1, "cpu", precision="fp32")
    torch.manual_seed(3)
    compiled = torch.compile(small_net(), backend="eager", dynamic=False)
    history = train(compiled, *plain_loaders(40), 1, 0.1, "cpu", precision="fp32")
    assert history.step_losses == plain.step_losses


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU to be made to wait")
def test_no_step_makes_a_gpu_wait(monkeypatch):
    fetch = training.Progress.fetch

    def allowed(self):
        torch.cuda.set_sync_debug_mode("default")
        fetch(self)
        torch.cuda.set_sync_debug_mode("error")

    monkeypatch.setattr(training.Progress, "fetch", allowed)
    monkeypatch.setattr(training, "count_right", lambda *_: (0, 1))
    try:
        history = train(small_net(), *own_loaders(640, 64, device="cuda"), 1, 0.1, "cuda")
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert len(history.step_losses) == 40


@pytest.mark.parametrize("batch_norm", [False, True])
def test_pooling_before_relu_changes_no_output_and_no_gradient(batch_norm):
    torch.manual_seed(0)
    net = vgg(((2, 4), (1, 8)), input_size=28, dropout=0, batch_norm=batch_norm)
    net = nn.Sequential(*net[:3], nn.Linear(8 * 7 * 7, 10))
    swapped = fast_form.pool_first(net)
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


def test_pooling_stays_behind_where_something_could_see_it():
    net = small_net()
    assert fast_form.fast_form(net)[0] is not net
    for layer in (net, net[0], net[0][1], net[0][2], net[5]):
        for register in ("register_forward_hook", "register_forward_pre_hook",
                         "register_full_backward_hook"):
            handle = getattr(layer, register)(lambda *_: None)
            assert fast_form.fast_form(net)[0] is net
            handle.remove()
    handle = nn.modules.module.register_module_forward_hook(lambda *_: None)
    assert fast_form.fast_form(net)[0] is net
    handle.remove()
    assert fast_form.fast_form(Named())[0].__class__ is Named
    indices = nn.Sequential(nn.ReLU(), nn.MaxPool2d(2, return_indices=True))
    assert [type(layer) for layer in fast_form.pool_first(indices)] == [nn.ReLU, nn.MaxPool2d]


def test_hooks_see_what_they_see_in_the_books_loop():
    net, seen = small_net(), []
    net[0].register_forward_hook(lambda *_: seen.append("block"))
    net[0][1].register_forward_hook(lambda _, __, out: seen.append(out.shape[-1]))
    net[0][2].register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].min() >= 0))
    train(net, *plain_loaders(16, 16), 1, 0.1, "cpu")
    assert seen == [28, True, "block"] * 2


@pytest.mark.parametrize("channels", [1, 3])
def test_the_network_comes_back_as_the_book_leaves_it(channels):
    import matplotlib
    from safetensors.torch import save
    from torch.nn.utils import parameters_to_vector

    net = small_net(in_channels=channels)
    settings = dict(matplotlib.rcParams)
    strides = [p.stride() for p in net.parameters()]
    train(net, *plain_loaders(64, channels=channels), 1, 0.1, "cpu")
    assert dict(matplotlib.rcParams) == settings
    assert not any(layer.training for layer in net.modules())
    assert [p.stride() for p in net.parameters()] == strides == [p.grad.stride()
                                                                 for p in net.parameters()]
    assert len(parameters_to_vector(net.parameters())) == sum(p.numel() for p in net.parameters())
    assert save(net.state_dict())
    net.to(memory_format=torch.channels_last)
    strides = [p.stride() for p in net.parameters()]
    train(net, *plain_loaders(64, channels=channels), 1, 0.1, "cpu")
    evaluate_accuracy(net, plain_loaders(channels=channels)[1])
    assert [p.stride() for p in net.parameters()] == strides


def test_evaluation_leaves_frozen_parts_frozen_and_finds_the_historys_figure():
    net = small_net(batch_norm=True)
    loaders = plain_loaders(160, 300)
    history = train(net, *loaders, 1, 0.05, "cpu")
    assert evaluate_accuracy(net, loaders[1]) == history.epochs[-1]["test_acc"]
    net.train()
    net[0].eval()
    modes = [layer.training for layer in net.modules()]
    evaluate_accuracy(net, loaders[1])
    assert [layer.training for layer in net.modules()] == modes
    assert len(set(modes)) == 2
    history = train(net, *loaders, 1, 0.05, "cpu", precision="bf16")
    assert evaluate_accuracy(net, loaders[1], precision="bf16") == history.epochs[-1]["test_acc"]


def test_numbers_of_numpy_are_numbers(tmp_path):
    import numpy as np

    path = tmp_path / "run.pt"
    train(small_net(), *own_loaders(), np.int64(1), np.float32(0.1), "cpu", checkpoint=path)
    history = train(small_net(), *own_loaders(), np.int64(2), np.float32(0.1), "cpu",
                    checkpoint=path, resume=True)
    assert len(history.epochs) == 2


def test_ctrl_c_keeps_the_losses_that_are_on_the_device_yet():
    batches = list(plain_loaders(16 * 100)[0])
    history = train(small_net(), InterruptedLoader(batches, at=29), batches[:1], 1, 0.05, "cpu")
    assert len(history.step_losses) == 29  # of which the last four had not been fetched


def test_a_history_shows_itself_in_a_few_lines():
    history = train(small_net(), *plain_loaders(640), 2, 0.05, "cpu")
    assert repr(history) == str(history)
    assert len(history.step_losses) == 80
    assert len(repr(history)) < 200
