"""Which device, which precision, how much work: each branch, by stand-ins for the hardware."""

import pytest
import torch
from small_runs import make_images, small_net
from torch import nn
from torch._subclasses import FakeTensorMode
from torch._subclasses.fake_tensor import DataDependentOutputException

from d2lvgg import data, describe_machine, devices, fast_form, pick_scale, recipes, try_gpu
from d2lvgg.history import History
from d2lvgg.progress import Progress

CPU, CUDA, MPS = map(torch.device, ("cpu", "cuda:0", "mps"))


def test_full_is_the_published_protocol():
    scale = pick_scale("full")
    assert (scale.resize, scale.num_epochs, scale.num_train, scale.num_test, scale.batch_size,
            scale.lr) == (224, 10, 60_000, 10_000, 128, 0.05)
    assert "you asked for it" in str(scale)


@pytest.mark.parametrize(("gpu", "name"), [(True, "full"), (False, "laptop")])
def test_the_device_decides_unless_the_variable_does(monkeypatch, gpu, name):
    monkeypatch.setattr(devices, "try_gpu", lambda: CUDA if gpu else CPU)
    monkeypatch.delenv("D2LVGG_SCALE", raising=False)
    assert pick_scale().name == name
    assert "GPU" in pick_scale().why
    monkeypatch.setenv("D2LVGG_SCALE", "smoke")
    assert pick_scale().name == "smoke"
    assert "D2LVGG_SCALE" in pick_scale().why
    assert pick_scale("laptop").name == "laptop"


def test_an_unknown_scale_is_refused_with_the_known_ones(monkeypatch):
    with pytest.raises(ValueError, match="'huge' is unknown: choose one of full, laptop, smoke"):
        pick_scale("huge")
    monkeypatch.setenv("D2LVGG_SCALE", "Full")
    with pytest.raises(ValueError, match="'Full' is unknown"):
        pick_scale()


def test_the_machine_is_described_in_words():
    machine = describe_machine()
    assert machine["torch"] == torch.__version__.split("+")[0]
    assert all(isinstance(value, str) and value for value in machine.values())


@pytest.fixture
def hardware(monkeypatch):
    """A function that makes a machine: its GPUs, and what a small step on its device does."""
    real = devices.small_step

    def make(cuda=0, mps=False, step=real):
        monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
        monkeypatch.setattr(devices, "small_step",
                            lambda device: real(CPU) if device == CPU else step(CPU))
        devices.agrees_with_cpu.cache_clear()

    yield make
    devices.agrees_with_cpu.cache_clear()


def test_a_device_is_chosen_where_it_agrees_with_the_processor(hardware):
    hardware(cuda=2)
    assert (try_gpu(), try_gpu(1)) == (CUDA, torch.device("cuda:1"))
    hardware(mps=True)
    assert try_gpu() == MPS
    hardware()
    assert try_gpu() == CPU


def wrong(_device):
    return [part * 1.05 for part in REAL(CPU)]


def not_a_number(_device):
    return [part * torch.nan for part in REAL(CPU)]


def unable(_device):
    raise NotImplementedError("aten::_upsample_bilinear2d_aa is not implemented for mps\nTry ...")


def unbuilt(_device):
    raise AssertionError("Torch not compiled with CUDA enabled")


REAL = devices.small_step


@pytest.mark.parametrize(("step", "words"), [
    (wrong, "gives other numbers"), (not_a_number, "gives other numbers"),
    (unable, r"fails \(aten::_upsample_bilinear2d_aa is not implemented for mps\)"),
    (unbuilt, r"fails \(Torch not compiled")])
@pytest.mark.parametrize("machine", [{"cuda": 1}, {"mps": True}])
def test_a_device_that_disagrees_is_not_chosen_and_a_warning_says_so_once(
        hardware, recwarn, step, words, machine):
    hardware(**machine, step=step)
    with pytest.warns(UserWarning, match=f"{words}.*so the CPU is used.*device="):
        assert try_gpu() == CPU
    recwarn.clear()
    assert try_gpu() == CPU
    assert len(recwarn) == 0


def test_the_small_step_is_one_of_training_and_draws_nothing_of_ours():
    state = torch.get_rng_state()
    loss, *weights = devices.small_step(CPU)
    assert torch.equal(torch.get_rng_state(), state)
    assert 1 < loss < 5
    assert [tuple(weight.shape) for weight in weights] == [(4, 1, 3, 3), (10, 256)]
    # TensorFloat-32 keeps ten bits of a number: it must pass.
    rounded = [weight * (1 + 2**-11) for weight in weights]
    assert all(torch.allclose(a, b, rtol=1e-2, atol=1e-3)
               for a, b in zip(weights, rounded, strict=True))


@pytest.mark.parametrize(("device", "bf16", "capability", "precision"), [
    (CUDA, True, (9, 0), "bf16"), (CUDA, False, (7, 5), "fp16"),  # an H100, a T4
    (CUDA, False, (6, 1), "fp32"), (MPS, False, None, "fp32")])
def test_precision_follows_the_hardware(monkeypatch, device, bf16, capability, precision):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: bf16)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert devices.pick_precision("auto", device) == precision
    assert devices.pick_precision("fp32", device) == "fp32"


@pytest.mark.parametrize(("able", "fast"), [({"amx_bf16": True}, True),
                                            ({"avx512_bf16": True}, True), ({}, False)])
def test_a_processor_says_what_it_has(monkeypatch, able, fast):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able)
    assert devices.has_fast_bf16("cpu") is fast
    monkeypatch.delattr(torch.cpu, "get_capabilities")  # an older PyTorch
    assert devices.has_fast_bf16("cpu") is False


@pytest.mark.parametrize(("precision", "augmented"), [("fp32", False), ("bf16", True),
                                                      ("fp16", True)])
def test_the_forward_half_of_a_step_neither_waits_nor_mixes_devices(
        monkeypatch, precision, augmented):
    # autocast asks whether there is a GPU, and whether it has bf16
    monkeypatch.setattr(torch.cuda.amp.common, "amp_definitely_not_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda *_: True)
    images, labels = make_images(40, 0)
    with FakeTensorMode(allow_non_fake_inputs=True):
        loader, _ = data.make_loaders(
            (images, labels), (images, labels), batch_size=16, resize=28, device=CUDA,
            num_train=None, num_test=None, seed=None, source="", classes=())
        loader = loader.replace(augment=recipes.flip_and_crop) if augmented else loader
        with CUDA:
            net = small_net(batch_norm=True)
        model, _ = fast_form.fast_form(net)
        progress = Progress(History("cuda:0", precision), 1, 1000)  # no point is due
        for X, y in progress.batches(loader.__iter__()):
            y_hat = fast_form.outputs(model, X, precision)
            loss = nn.functional.cross_entropy(y_hat, y)
            progress.step(loss, y_hat, y)
            assert (X.device, loss.device, y_hat.dtype) == (CUDA, CUDA, torch.float32)
            with pytest.raises(DataDependentOutputException):  # so a wait is noticed
                loss.item()
            with pytest.raises(RuntimeError, match="device"):
                X + torch.ones(X.shape)
            if progress.batch == 3:
                break
    assert len(progress.pending) == 3
