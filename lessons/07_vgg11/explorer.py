"""Change a VGG network with the mouse and see at once what follows from it."""

import ast
import base64
import io

import ipywidgets
import matplotlib
import torch
from IPython.display import display
from matplotlib.figure import Figure
from matplotlib.patches import Polygon

from d2lvgg.display import BLUE, ORANGE, STYLE
from d2lvgg.models import VGG_ARCHS, shrink, vgg
from d2lvgg.shapes import trace_shapes

# What the backward pass needs of each layer's output, in times its bytes; lesson 08 measures it.
KEPT = {"ReLU": 1, "MaxPool2d": 3, "Dropout": 2}
# Without the backend, which rc_context would set and not set back: later plots need Jupyter's.
DEFAULTS = {name: value for name, value in matplotlib.rcParamsDefault.items()
            if not name.startswith("backend")}


def summarise(conv_arch, ratio, input_size, batch_size):
    """Return (ShapeTable of the blocks, one sentence of sums) of a shrunken VGG.

    Training memory counts float32 weights, their gradients, and what a batch keeps for the backward
    pass. Raises ValueError where shrink or vgg does.
    """
    with torch.device("meta"):
        net = vgg(shrink(conv_arch, ratio), input_size=input_size)
    shape = (1, 1, input_size, input_size)
    opened = trace_shapes(net, shape, expand=True)
    kept = 4 * input_size ** 2 + sum(KEPT.get(row.layer, 0) * row.activation_bytes
                                     for row in opened)
    memory = 2 * 4 * opened.params + batch_size * kept
    return trace_shapes(net, shape), (
        f"{opened.params:,} parameters, {opened.flops / 1e9:.3f} GFLOP forward for one image, "
        f"{memory / 1e9:.2f} GB to train on batches of {batch_size}")


def read_arch(text):
    """Return the conv_arch that a name ('vgg11') or Python source ('((1, 64), (1, 128))') means."""
    try:
        return VGG_ARCHS.get(text) or ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return text  # check_arch says in a sentence what is wrong with it


def shapes_shrinking(conv_arch=VGG_ARCHS["vgg11"], input_size=224):
    """A VGG's image and block outputs as boxes, height × width × channels to scale."""
    fig = Figure(figsize=(7.2, 3.9))
    axes = fig.add_axes((0, 0, 1, 1))
    axes.axis("off")
    axes.set_aspect("equal")
    with torch.device("meta"):
        rows = trace_shapes(vgg(conv_arch, input_size=input_size), (1, 1, input_size, input_size))
    volumes = [("image", (1, input_size, input_size)),
               *((f"block {row.name}", tuple(row.output_shape[1:])) for row in rows
                 if row.layer == "Sequential")]
    thick, slant = 0.25, 0.3  # of a channel, in units of which an image has 224; depth is slanted
    pixel = 224 / input_size
    thickness = "a quarter" if thick == 0.25 * pixel else f"{thick / pixel:.2f}"
    x = 0
    for place, (name, (channels, height, width)) in enumerate(volumes):
        w, d, h = channels * thick, width * pixel * slant, height * pixel
        colour = ORANGE if place == 0 else BLUE
        for corners, alpha in (
                (((0, 0), (w, 0), (w, h), (0, h)), 0.55),
                (((0, h), (w, h), (w + d, h + d), (d, h + d)), 0.25),
                (((w, 0), (w + d, d), (w + d, h + d), (w, h)), 0.4)):
            axes.add_patch(Polygon([(x + a, b) for a, b in corners], facecolor=colour,
                                   alpha=alpha, edgecolor="0.2", linewidth=0.6))
        middle = x + (w + d) / 2
        axes.text(middle, -14, name, ha="center", va="top", size=9, weight="bold")
        axes.text(middle, -34, f"{channels}×{height}×{width}", ha="center", va="top", size=9)
        axes.text(middle, -54, f"{channels * height * width:,}", ha="center", va="top", size=9)
        x += max(w + d, 92) + 22
    x = max(x, 620)  # with few blocks, room for the words
    axes.text(-24, -54, "numbers", ha="right", va="top", size=9, color="0.3")
    axes.text(-24, -34, "shape", ha="right", va="top", size=9, color="0.3")
    head = " → ".join(f"{row.output_shape[1]:,}" for row in rows
                      if row.layer in ("Flatten", "Linear"))
    axes.text(x - 22, 165, f"then flattened, and three linear layers:\n{head}", ha="right",
              size=9, linespacing=1.6)
    axes.text(x - 22, 250, "All boxes to one scale. Width is drawn slanted;\n"
              f"a channel is drawn {thickness} of a pixel thick.", ha="right", size=9, color="0.3",
              linespacing=1.6)
    axes.set(xlim=(-82, x - 10), ylim=(-75, 310))
    return fig


def explore_vgg(conv_arch="vgg11", ratio=1, input_size=224, batch_size=128):
    """Show a VGG network with controls for conv_arch, ratio and input_size (pixels).

    The diagram, the shapes and the sums are plain outputs, which the controls replace: where no
    widget is shown (a web page, a printout) they stand as they are.
    """
    controls = [
        ipywidgets.Combobox(value=str(conv_arch), options=list(VGG_ARCHS),
                            description="conv_arch", continuous_update=False),
        ipywidgets.SelectionSlider(value=ratio, options=[1, 2, 4, 8, 16, 32, 64],
                                   description="ratio"),
        ipywidgets.IntSlider(value=input_size, min=16, max=256, step=8, description="input_size",
                             continuous_update=False)]
    display(ipywidgets.HBox(controls, layout={"flex_flow": "row wrap"}))
    said, diagram, rows = (display({"text/plain": ""}, raw=True, display_id=True)
                           for _ in range(3))

    def follow(_change=None):
        arch, ratio, input_size = (control.value for control in controls)
        try:
            arch = read_arch(arch)
            table, sums = summarise(arch, ratio, input_size, batch_size)
        except ValueError as error:
            said.update({"text/plain": f"Not possible: {error}"}, raw=True)
            return
        with matplotlib.rc_context({**DEFAULTS, **STYLE}):
            picture = io.BytesIO()
            shapes_shrinking(shrink(arch, ratio), input_size).savefig(
                picture, dpi=85, bbox_inches="tight")
        shapes = " to ".join("×".join(map(str, row.output_shape[1:])) for row in table
                             if row.layer == "Sequential")
        diagram.update({"image/png": base64.b64encode(picture.getvalue()).decode(),
                        "text/plain": "a diagram of the blocks"}, raw=True, metadata={
            "image/png": {"alt": f"Boxes that shrink and get deeper, block by block: from "
                                 f"1×{input_size}×{input_size} to {shapes}"}})
        said.update({"text/html": f"<p><b>{sums}</b></p>", "text/plain": sums}, raw=True)
        rows.update({"text/html": table._repr_html_(), "text/plain": str(table)}, raw=True)

    for control in controls:
        control.observe(follow, "value")
    follow()
