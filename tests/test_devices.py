"""How much work a machine is given."""

import pytest
import torch

from d2lvgg import describe_machine, pick_scale


def test_full_is_the_published_protocol():
    scale = pick_scale("full")
    assert (scale.resize, scale.num_epochs, scale.num_train, scale.num_test, scale.batch_size,
            scale.lr) == (224, 10, 60_000, 10_000, 128, 0.05)
    assert "you asked for it" in str(scale)


@pytest.mark.parametrize(("gpu", "name"), [(True, "full"), (False, "laptop")])
def test_the_device_decides_unless_the_variable_does(monkeypatch, gpu, name):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
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
