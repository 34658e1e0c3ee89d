"""The checks of lesson 14 against right answers, stubs and plausible wrong answers; its recipe."""

import ast
import copy
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from d2lvgg.exercises import WrongAnswer, checks_of, of_lesson

checks = checks_of("14")
recipe, transfer = of_lesson("14", "recipe"), of_lesson("14", "transfer")
LESSON = Path(__file__).with_name("lesson.md")


# Cutout

def places(X, size, high=1, wide=1, shape=None):
    shape = shape or (len(X), 1, 1, 1)
    top = torch.randint(0, X.shape[2] - size + high, shape)
    left = torch.randint(0, X.shape[3] - size + wide, shape)
    return top, left


def cover(X, size, top, left, tall=None, wide=None, value=0):
    rows = torch.arange(X.shape[2]).view(1, 1, -1, 1)
    columns = torch.arange(X.shape[3])
    inside = ((rows >= top) & (rows < top + (tall or size))
              & (columns >= left) & (columns < left + (wide or size)))
    return X.masked_fill(inside, value)


def cutout(X, size):
    return cover(X, size, *places(X, size))


def cutout_by_product(X, size):
    top, left = (p.flatten() for p in places(X, size))
    rows = (torch.arange(X.shape[2]) - top[:, None]).clamp(-1, size)
    columns = (torch.arange(X.shape[3]) - left[:, None]).clamp(-1, size)
    inside = (((rows >= 0) & (rows < size))[:, :, None]
              & ((columns >= 0) & (columns < size))[:, None, :])
    return torch.where(inside[:, None], torch.zeros(()), X)


def cutout_in_a_loop(X, size):
    Y = X.clone()
    for image in Y:
        top = int(torch.randint(0, X.shape[2] - size + 1, ()))
        left = int(torch.randint(0, X.shape[3] - size + 1, ()))
        image[:, top:top + size, left:left + size] = 0
    return Y


def cutout_in_place(X, size):
    return X.copy_(cutout(X, size))


def one_place_for_all(X, size):
    return cover(X, size, *places(X, size, shape=(1, 1, 1, 1)))


def a_place_a_channel(X, size):
    return cover(X, size, *places(X, size, shape=(*X.shape[:2], 1, 1)))


def hanging_out(X, size):
    return cover(X, size, *places(X, size, high=size, wide=size))


def on_the_diagonal(X, size):
    top = torch.randint(0, min(X.shape[2:]) - size + 1, (len(X), 1, 1, 1))
    top = top.where(torch.rand(len(X), 1, 1, 1) < 0.5, places(X, size)[0])
    return cover(X, size, top, top)


def same_places(X, size):
    torch.manual_seed(3)
    return cutout(X, size)


def stripes(X, size):
    return cover(X, size, places(X, size)[0], 0, wide=X.shape[3])


def grey(X, size):
    return cover(X, size, *places(X, size), value=0.5)


# Freezing

def drifting(net, num_classes):
    new = copy.deepcopy(net).requires_grad_(False)
    new[-1] = nn.Linear(net[-1].in_features, num_classes)
    return new


class NormsInEval(nn.Sequential):
    """Another right answer: batch norm alone is kept in evaluation mode."""

    def train(self, mode=True):
        super().train(mode)
        for layer in self.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.eval()
        return self


def norms_in_eval(net, num_classes):
    return NormsInEval(*drifting(net, num_classes)).train()


class NoReturn(NormsInEval):
    def train(self, mode=True):
        super().train(mode)


class AllInEval(nn.Sequential):
    def train(self, mode=True):
        return super().train(False)


def in_eval_once(net, num_classes):
    new = drifting(net, num_classes)
    new[:-1].eval()
    return new


def without_momentum(net, num_classes):
    new = drifting(net, num_classes)
    for layer in new.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = 0.0
    return new


def changes_net(net, num_classes):
    net.requires_grad_(False)
    net[-1] = nn.Linear(net[-1].in_features, num_classes)
    return net


def freezes_net(net, num_classes):
    new = norms_in_eval(net, num_classes)
    net.requires_grad_(False)
    return new


def leaves_eval_mode(net, num_classes):
    net.eval()
    return norms_in_eval(net, num_classes)


def nothing_frozen(net, num_classes):
    return norms_in_eval(net, num_classes).requires_grad_(True)


def frozen_too(net, num_classes):
    return norms_in_eval(net, num_classes).requires_grad_(False)


def shares_blocks(net, num_classes):
    return NormsInEval(*net[:-1], nn.Linear(net[-1].in_features, num_classes)).train()


def behind_the_old(net, num_classes):
    return NormsInEval(*copy.deepcopy(net).requires_grad_(False),
                       nn.Linear(10, num_classes)).train()


def forgets(net, num_classes):
    new = norms_in_eval(net, num_classes)
    for layer in new.modules():
        if isinstance(layer, (nn.Conv2d, nn.BatchNorm2d)):
            layer.reset_parameters()
    return new


def for_512_features(net, num_classes):
    new = norms_in_eval(net, num_classes)
    new[-1] = nn.Linear(512, num_classes)
    return new


# Averaging

def update_average(average, net, decay, share=None, skip=(), only_copy=()):
    with torch.no_grad():
        new = net.state_dict()
        for name, old in average.state_dict().items():
            if any(word in name for word in skip):
                continue
            if not old.is_floating_point() or any(word in name for word in only_copy):
                old.copy_(new[name])
            else:
                old.mul_(decay).add_(new[name], alpha=1 - decay if share is None else share)
    return average


def by_lerp(average, net, decay):
    for old, new in zip(average.parameters(), net.parameters(), strict=True):
        old.data.lerp_(new.data, 1 - decay)
    for old, new in zip(average.buffers(), net.buffers(), strict=True):
        old.copy_(old.lerp(new, 1 - decay) if old.is_floating_point() else new)
    return average


def new_tensors(average, net, decay):
    for old, new in zip(average.parameters(), net.parameters(), strict=True):
        old.data = decay * old.data + (1 - decay) * new.data
    return average


# Ten views

MOVES = ((1, 1), (0, 1), (2, 1), (1, 0), (1, 2))


def ten_views(net, X, moves=MOVES, mirrors=(None, 3), of=lambda y: y, divide=True, frame=None):
    height, width = X.shape[-2:]
    framed = frame(X) if frame else F.pad(X, [1, 1, 1, 1])
    modes = [(layer, layer.training) for layer in net.modules()]
    net.eval()
    with torch.no_grad():
        total, count = 0, 0
        for top, left in moves:
            view = framed[:, :, top:top + height, left:left + width]
            for axis in mirrors:
                total = total + of(net(view.flip(axis) if axis else view))
                count += 1
    for layer, mode in modes:
        layer.training = mode
    return total / count if divide else total


def in_one_batch(net, X):
    frozen = copy.deepcopy(net).eval()
    with torch.inference_mode():
        found = frozen(torch.cat(checks.views(X)))
        return found.view(10, len(X), -1).mean(dim=0)


def in_training_mode(net, X):
    with torch.no_grad():
        return torch.stack([net(view) for view in checks.views(X)]).mean(dim=0)


def left_in_eval(net, X):
    return ten_views(net.eval(), X)


def all_in_training_afterwards(net, X):
    found = ten_views(net, X)
    net.train()
    return found


def recorded(net, X):
    frozen = copy.deepcopy(net).eval()
    return torch.stack([frozen(view) for view in checks.views(X)]).mean(dim=0)


def for_four_images(net, X):
    return ten_views(net, X[torch.arange(4) % len(X)])


# Dead channels

def dead_fraction(maps):
    return (maps.amax(dim=(0, 2, 3)) == 0).float().mean()


def dead_one_by_one(maps):
    return np.mean([all(float(image[channel].max()) == 0 for image in maps)
                    for channel in range(maps.shape[1])])


def sums_up():
    counts = []  # outside the function

    def wrong(maps):
        counts.append(float(dead_fraction(maps)))
        return sum(counts)
    return wrong


RIGHT = [
    (checks.check_cutout, cutout),
    (checks.check_cutout, cutout_by_product),
    (checks.check_freeze, transfer.Frozen),
    (checks.check_freeze, norms_in_eval),
    (checks.check_update_average, update_average),
    (checks.check_update_average, by_lerp),
    (checks.check_ten_views, ten_views),
    (checks.check_ten_views, in_one_batch),
    (checks.check_dead_fraction, dead_fraction),
    (checks.check_dead_fraction, dead_one_by_one),
]
EMPTY = [
    (checks.check_cutout, lambda X, size: ...),
    (checks.check_freeze, lambda net, num_classes: ...),
    (checks.check_update_average, lambda average, net, decay: ...),
    (checks.check_ten_views, lambda net, X: ...),
    (checks.check_dead_fraction, lambda maps: ...),
]
# (check, wrong answer, what the message says, what kind of mistake: tests/test_exercises.py)
WRONG = [
    (checks.check_cutout, one_place_for_all, "at the same place", "left-out step"),
    (checks.check_cutout, cutout_in_a_loop, "a loop over the images", "wrong formula"),
    (checks.check_cutout, cutout_in_place, "changed X itself", "state left behind"),
    (checks.check_cutout, a_place_a_channel, "one channel and not in another", "wrong axis"),
    (checks.check_cutout, hanging_out, "hang out of the image", "off by one"),
    (checks.check_cutout, lambda X, size: cover(X, size, *places(X, size, high=0, wide=1))
     if X.shape[2] > size else cutout(X, size), "begins in some row", "off by one"),
    (checks.check_cutout, lambda X, size: cover(X, size, *places(X, size), tall=size + 1),
     "rows and", "off by one"),
    (checks.check_cutout, stripes, "columns are covered", "wrong formula"),
    (checks.check_cutout, same_places, "draw anew", "state left behind"),
    (checks.check_cutout, grey, "neither as they were nor 0", "wrong formula"),
    (checks.check_cutout, lambda X, size: cutout(X, 3), "with size = 2",
     "works for the shown case only"),
    (checks.check_cutout, lambda X, size: X.clone(), "no pixel is covered", "left-out step"),
    (checks.check_cutout, lambda X, size: X[:3], "only pixel values change", None),
    (checks.check_cutout, lambda X, size: 3, "one tensor", None),

    (checks.check_freeze, drifting, "running averages have moved", "wrong mode"),
    (checks.check_freeze, in_eval_once, "running averages have moved", "wrong mode"),
    (checks.check_freeze, without_momentum, "something else than in evaluation", "wrong mode"),
    (checks.check_freeze, lambda net, k: AllInEval(*drifting(net, k)).train(),
     "says that it is in evaluation mode", "wrong mode"),
    (checks.check_freeze, lambda net, k: NoReturn(*drifting(net, k)), "return self",
     "left-out step"),
    (checks.check_freeze, changes_net, "changed net itself", "state left behind"),
    (checks.check_freeze, freezes_net, "froze net itself", "state left behind"),
    (checks.check_freeze, leaves_eval_mode, "left net itself in evaluation", "state left behind"),
    (checks.check_freeze, nothing_frozen, "only the new layer's", "left-out step"),
    (checks.check_freeze, frozen_too, "everything is frozen", "wrong formula"),
    (checks.check_freeze, shares_blocks, "shares layers with net", "left-out step"),
    (checks.check_freeze, behind_the_old, "in the old one's place", "wrong formula"),
    (checks.check_freeze, forgets, "that it learned", "left-out step"),
    (checks.check_freeze, lambda net, k: norms_in_eval(net, 3), "num_classes = 2",
     "works for the shown case only"),
    (checks.check_freeze, for_512_features, "refuses the images",
     "works for the shown case only"),
    (checks.check_freeze, lambda net, k: 7, "a network is wanted", None),

    (checks.check_update_average, lambda a, n, d: update_average(a, n, 1 - d),
     "decay belongs to what is old", "wrong formula"),
    (checks.check_update_average, lambda a, n, d: update_average(a, n, d, share=d),
     "are not decay", "wrong formula"),
    (checks.check_update_average, lambda a, n, d: update_average(a, n, d, skip=("running",)),
     "running averages were left", "left-out step"),
    (checks.check_update_average, lambda a, n, d: update_average(a, n, d, skip=("num_",)),
     "copy whole numbers", "left-out step"),
    (checks.check_update_average, lambda a, n, d: update_average(a, n, d, only_copy=("running",)),
     "running averages are net's", "left-out step"),
    (checks.check_update_average, lambda a, n, d: update_average(a, n, 0.9),
     "with decay = 0.25", "works for the shown case only"),
    (checks.check_update_average, lambda a, n, d: update_average(n, a, d), "you changed net",
     "wrong axis"),
    (checks.check_update_average, lambda a, n, d: update_average(copy.deepcopy(a), n, d),
     "average is as it was", "state left behind"),
    (checks.check_update_average, new_tensors, "has got other tensors", "state left behind"),
    (checks.check_update_average, lambda a, n, d: a, "average is as it was", None),

    (checks.check_ten_views, lambda n, X: ten_views(n, X, divide=False), "the sum over ten",
     "left-out step"),
    (checks.check_ten_views, lambda n, X: ten_views(n, X, of=lambda y: y.softmax(dim=1)),
     "average the scores", "wrong formula"),
    (checks.check_ten_views, lambda n, X: ten_views(n, X, mirrors=(None,)),
     "mirror images are missing", "left-out step"),
    (checks.check_ten_views, lambda n, X: ten_views(n, X, moves=MOVES[:1]),
     "moved versions are missing", "left-out step"),
    (checks.check_ten_views, lambda n, X: ten_views(n, X, moves=MOVES[1:]),
     "as they are, not moved", "off by one"),
    (checks.check_ten_views, lambda n, X: ten_views(n, X, mirrors=(None, 2)),
     "on their heads", "wrong axis"),
    (checks.check_ten_views,
     lambda n, X: ten_views(n, X, frame=lambda Y: F.pad(Y, [1] * 4, mode="circular")),
     "comes in on the other", "wrong formula"),
    (checks.check_ten_views, lambda n, X: ten_views(n, X, moves=((1, 1), *MOVES[2:], (2, 2))),
     "not the mean scores", "off by one"),
    (checks.check_ten_views, in_training_mode, "asked in evaluation mode", "wrong mode"),
    (checks.check_ten_views, left_in_eval, "another mode than before", "state left behind"),
    (checks.check_ten_views, all_in_training_afterwards, "another mode than before",
     "state left behind"),
    (checks.check_ten_views, recorded, "recorded by autograd", "wrong mode"),
    (checks.check_ten_views, for_four_images, "one row of scores",
     "works for the shown case only"),
    (checks.check_ten_views, lambda n, X: 0.5, "one row of scores", None),

    (checks.check_dead_fraction, lambda m: (m == 0).float().mean(), "counted zeros",
     "left-out step"),
    (checks.check_dead_fraction, lambda m: (m.amax(dim=(2, 3)) == 0).float().mean(),
     "image by image", "wrong axis"),
    (checks.check_dead_fraction, lambda m: (m[0].amax(dim=(1, 2)) == 0).float().mean(),
     "first image alone", "left-out step"),
    (checks.check_dead_fraction, lambda m: (m.amax(dim=(1, 2, 3)) == 0).float().mean(),
     "fraction of images", "wrong axis"),
    (checks.check_dead_fraction, lambda m: (m.amin(dim=(0, 2, 3)) == 0).float().mean(),
     "zero somewhere", "wrong formula"),
    (checks.check_dead_fraction, lambda m: 1 - dead_fraction(m), "living fraction",
     "wrong formula"),
    (checks.check_dead_fraction, lambda m: 100 * dead_fraction(m), "per cent", "wrong unit"),
    (checks.check_dead_fraction, lambda m: dead_fraction(m) * m.shape[1], "divide by all",
     "left-out step"),
    (checks.check_dead_fraction, lambda m: dead_fraction(m) * m.shape[1] / 8, "8 channels",
     "works for the shown case only"),
    (checks.check_dead_fraction, lambda m: dead_fraction(m) * m.shape[1] / len(m),
     "images of the batch", "wrong axis"),
    (checks.check_dead_fraction, sums_up(), "kept from call to call", "state left behind"),
    (checks.check_dead_fraction, lambda m: 0.9, "not the share", "works for the shown case only"),
    (checks.check_dead_fraction, lambda m: m, "one number", None),
]


@pytest.mark.parametrize(("check", "answer"), RIGHT)
def test_right(check, answer, capsys):
    assert check(answer) is True
    assert capsys.readouterr().out.startswith("Right. ")


@pytest.mark.parametrize(("check", "answer"), EMPTY)
def test_empty(check, answer, capsys):
    assert check(answer) is False
    assert "Not answered yet" in capsys.readouterr().out


@pytest.mark.parametrize(("check", "answer", "mistake", "kind"), WRONG)
def test_wrong(check, answer, mistake, kind):
    with pytest.raises(WrongAnswer, match=mistake):
        check(answer)


def functions(code):
    """Return {name: code} of the functions in code, docstrings left out."""
    found = {}
    for node in ast.parse(code).body:
        if isinstance(node, ast.FunctionDef):
            node.body = node.body[1:] if ast.get_docstring(node) else node.body
            node.args.defaults = []  # the module has a name for the number
            found[node.name] = ast.unparse(node)
    return found


def test_the_lesson_shows_the_augmentation_that_is_run():
    taught = {}
    for code in re.findall(r"^```python[^\n]*\n(.*?)^```", LESSON.read_text(encoding="utf-8"),
                           re.M | re.S):
        taught.update(functions(code))
    run = functions(LESSON.with_name("recipe.py").read_text(encoding="utf-8"))
    assert [taught["flip"], taught["crop"]] == [run["flip"], run["crop"]]
    assert recipe.MOST == 2


def test_crops_and_flips_move_each_image_by_its_own_draw():
    torch.manual_seed(0)
    X = torch.randint(1, 256, (1, 3, 8, 8), dtype=torch.uint8).expand(500, -1, -1, -1)
    framed = F.pad(X[:1], [2] * 4)
    wanted = {framed[0, :, top:top + 8, left:left + 8].numpy().tobytes(): (top, left)
              for top in range(5) for left in range(5)}
    assert {wanted[image.numpy().tobytes()] for image in recipe.crop(X)} == {*wanted.values()}
    mirrored = (recipe.flip(X) == X.flip(3)).flatten(1).all(dim=1)
    assert 0.4 < mirrored.float().mean() < 0.6


def small_loaders():
    return recipe.load(256, 128, source="sketch")[:2]


@pytest.mark.parametrize("left_out", recipe.INGREDIENTS)
def test_each_ingredient_can_be_left_out(left_out):
    train_iter, test_iter = small_loaders()
    assert 0 <= recipe.one_run((left_out,), train_iter, test_iter, 1, seed=0, ratio=16) <= 1
    with_all, without = ([p.numel() for p in recipe.small_vgg(16, out).parameters()]
                         for out in ((), (left_out,)))
    assert (with_all != without) == (left_out in ("batch norm", "four blocks"))


def test_momentum_stays_and_biases_do_not_decay():
    optimizer, schedule = recipe.make_optimizer(recipe.small_vgg(16), 100, 0.1)
    seen = set()
    for _ in range(100):
        seen.add(optimizer.param_groups[0]["momentum"])
        optimizer.step()
        schedule.step()
    assert seen == {0.9}
    decays, others = optimizer.param_groups
    assert (decays["weight_decay"], others["weight_decay"]) == (5e-4, 0)
    assert all(p.dim() == 1 for p in others["params"])


def test_a_run_that_was_killed_ends_as_if_it_had_not_been(tmp_path):
    class Killed(Exception):
        pass

    def kill(epoch, average):
        if epoch == 2:
            raise Killed

    def run(**options):
        torch.manual_seed(0)
        net = recipe.small_vgg(16)
        return recipe.train(net, small_loaders()[0], 3, **options)

    whole = run()
    with pytest.raises(Killed):
        run(after_epoch=kill, checkpoint=tmp_path / "run.pt")
    torch.manual_seed(5)
    for ours, theirs in zip(run(checkpoint=tmp_path / "run.pt"), whole, strict=True):
        for a, b in zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True):
            assert torch.equal(a, b)


def test_frozen_blocks_stay_to_the_bit_and_drifting_ones_do_not():
    train_iter, _ = small_loaders()
    source = recipe.small_vgg(16, num_classes=6)
    few = transfer.classes_of(train_iter, transfer.NEW, 5, seed=0)
    assert few.labels.tolist() == [k for k in range(4) for _ in range(5)]
    for kind, stays in ((transfer.Frozen, True), (transfer.drifting, False)):
        new = kind(source, 4)
        blocks = new.blocks if stays else new[:-1]
        before = copy.deepcopy(blocks.state_dict())
        recipe.train(new, few, 2)
        same = [torch.equal(t, before[name]) for name, t in blocks.state_dict().items()]
        assert all(same) == stays


def test_what_is_recorded_says_how_it_was_made():
    for name in ("cifar10_ablation", "cifar10_long"):
        record = recipe.recorded(name)
        if record is None:
            assert name == "cifar10_long"
            continue
        assert "CIFAR-10" in record["data"]
        assert {"machine", "threads", "seconds", "seeds", "num_epochs", "lr"} <= set(record)
