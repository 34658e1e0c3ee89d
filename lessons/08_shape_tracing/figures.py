"""Draws where the parameters and the work are, for lesson 08."""

from matplotlib.figure import Figure

from d2lvgg.models import VGG_ARCHS, vgg
from tools.figures import LAYER_COLOURS, layer_label, traced


def params_and_flops():
    """Where VGG-11's parameters and FLOPs live: two bars a layer, back to back."""
    pairs = [(layer, row) for layer, row in traced(lambda: vgg(VGG_ARCHS["vgg11"])) if row.params]
    fig = Figure(figsize=(7.6, 4.2))
    left, right = fig.subplots(1, 2, sharey=True, gridspec_kw={"wspace": 1.15})
    values = {left: [row.params / 1e6 for _, row in pairs],
              right: [row.flops / 1e9 for _, row in pairs]}
    colours = [LAYER_COLOURS[row.layer] for _, row in pairs]
    for axes, numbers in values.items():
        axes.barh(range(len(pairs)), numbers, color=colours, alpha=0.8)
        for place, number in enumerate(numbers):
            axes.annotate(f"{number:.1f}" if number >= 0.05 else "< 0.1", (number, place),
                          xytext=(-4 if axes is left else 4, 0), textcoords="offset points",
                          ha="right" if axes is left else "left", va="center", size=8.5)
        axes.tick_params(left=False, labelleft=False)
        axes.spines["left"].set_visible(False)
        axes.set_xlim(0, max(numbers) * 1.18)
    left.invert_xaxis()
    left.invert_yaxis()
    left.set(xlabel="parameters (millions)", title="parameters")
    right.set(xlabel="forward FLOPs for one picture (billions)", title="work")
    for place, (layer, row) in enumerate(pairs):
        side = f" at {row.output_shape[-1]}×{row.output_shape[-1]}" * (row.layer == "Conv2d")
        right.annotate(layer_label(layer) + side, (0, place), xytext=(-9.5, 0),
                       textcoords="offset fontsize", ha="center", va="center", size=8.5)
    return fig


FIGURES = (params_and_flops,)
