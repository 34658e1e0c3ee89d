"""Draw images/: every picture of the course that is not made by running a lesson.

    python -m tools.figures                 draw all of them anew

A lesson's figures.py has FIGURES, functions that return a matplotlib Figure, and may have MOVING,
functions that return an SVG as text, with an animation in it. Each becomes images/<its name>.svg,
the same bytes every time. The SVG names the file that draws it.
"""

from pathlib import Path

import matplotlib
import torch
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import nn

from d2lvgg.display import BLUE, GREEN, ORANGE, STYLE
from d2lvgg.exercises import LESSONS, load_file
from d2lvgg.shapes import open_blocks, trace_shapes

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "images"
RESULTS = ROOT / "benchmarks" / "results"
LAYER_COLOURS = {"Conv2d": BLUE, "MaxPool2d": ORANGE, "Linear": GREEN}


def all_figures():
    """Return {name of the SVG: (function that draws it, file of the function)}."""
    found = {}
    for path in sorted(LESSONS.glob("[0-9]*_*/figures.py")):
        module = load_file(path)
        for draw in (*module.FIGURES, *getattr(module, "MOVING", ())):
            source = Path(draw.__code__.co_filename).relative_to(ROOT)
            found[f"{draw.__name__}.svg"] = draw, source.as_posix()
    return found


def draw_all(folder=IMAGES):
    """Write every figure into folder and return the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    with matplotlib.rc_context({**matplotlib.rcParamsDefault, **STYLE}):
        for name, (draw, source) in all_figures().items():
            path = folder / name
            drawn = draw()
            if isinstance(drawn, str):
                path.write_text(drawn, encoding="utf-8")
            else:
                drawn.savefig(path, bbox_inches="tight", metadata={"Date": None})
            head, mark, rest = path.read_text(encoding="utf-8").partition("<svg ")
            path.write_text(f"{head}<!-- drawn by {source}, {draw.__name__}() -->\n{mark}{rest}",
                            encoding="utf-8")
            paths.append(path)
    return paths


def canvas(width, height, across, up):
    """Return (figure, axes without frame) of width × height inches that show across × up."""
    fig = Figure(figsize=(width, height))
    axes = fig.add_axes((0, 0, 1, 1))
    axes.set(xlim=across, ylim=up)
    axes.axis("off")
    return fig, axes


def box(axes, x, y, width, height, text, colour, alpha=0.35, **style):
    """Draw a box with a word in it; x and y are its lower left corner."""
    axes.add_patch(Rectangle((x, y), width, height, facecolor=colour, alpha=alpha, edgecolor="w",
                             linewidth=1.5))
    axes.text(x + width / 2, y + height / 2, text, ha="center", va="center", **style)


def short_number(number):
    """Return a count in words of three digits: '46.8 million'."""
    size, word = (1e9, "billion") if number >= 1e9 else (1e6, "million")
    return f"{number / size:.3g} {word}" if number >= 1e5 else f"{number:,}"


def traced(make, expand=True):
    """Return (layer, its row of the shape table) of a network for one 224-pixel image."""
    with torch.device("meta"):
        net = make()
    layers = [layer for _, layer in open_blocks(net)] if expand else list(net)
    return list(zip(layers, trace_shapes(net, (1, 1, 224, 224), expand), strict=True))


def layer_label(layer):
    """Return a layer in words: '3×3 conv, 64'."""
    if isinstance(layer, nn.Linear):
        return f"linear, {layer.in_features:,} → {layer.out_features:,}"
    size = layer.kernel_size if isinstance(layer, nn.MaxPool2d) else layer.kernel_size[0]
    if isinstance(layer, nn.MaxPool2d):
        return f"{size}×{size} max-pool, stride {layer.stride}"
    stride = f", stride {layer.stride[0]}" * (layer.stride[0] > 1)
    return f"{size}×{size} conv, {layer.out_channels}{stride}"


if __name__ == "__main__":
    for drawn in draw_all():
        print(drawn.relative_to(ROOT))
