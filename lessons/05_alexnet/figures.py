"""Draws the timeline of lesson 05."""

import torch
from matplotlib.figure import Figure

from d2lvgg.display import BLUE, GREEN, ORANGE
from d2lvgg.models import VGG_ARCHS, alexnet, lenet, vgg
from d2lvgg.shapes import trace_shapes
from tools.figures import short_number

PUBLISHED = {"LeNet": (1998, None),  # LeCun et al. 1998; ImageNet is of 2009
             "AlexNet": (2012, 15.3),  # Krizhevsky et al. 2012, abstract: ILSVRC-2012 test
             "VGG": (2014, 7.3)}  # Simonyan and Zisserman 2014, table 7: ILSVRC-2014 test


def timeline():
    """LeNet, AlexNet and VGG by year: layers, parameters, work, and error on ImageNet."""
    with torch.device("meta"):
        nets = {"LeNet": [(lenet(), 28)], "AlexNet": [(alexnet(), 224)],
                "VGG": [(vgg(VGG_ARCHS[name]), 224) for name in ("vgg11", "vgg19")]}
    fig = Figure(figsize=(7.2, 5.4))
    rows = fig.subplots(4, 1, sharex=True, gridspec_kw={"hspace": 0.18})
    labels = ("layers with\nweights", "parameters", "FLOPs for\none picture",
              "top-5 error\non ImageNet, %")
    for axes, label in zip(rows, labels, strict=True):
        axes.set_ylabel(label, rotation=0, ha="right", va="center")
    for (name, (year, error)), colour in zip(PUBLISHED.items(), (GREEN, ORANGE, BLUE),
                                             strict=True):
        side_of_text = {"ha": "right" if name == "AlexNet" else "left", "va": "center",
                        "textcoords": "offset points"}
        left = -8 if name == "AlexNet" else 8  # points
        for place, (net, side) in enumerate(nets[name]):
            table = trace_shapes(net, (1, 1, side, side), expand=True)
            values = [sum(row.params > 0 for row in table), table.params, table.flops]
            words = [f"{values[0]}", short_number(table.params), short_number(table.flops)]
            last = f"VGG-{values[0]}: " * (name == "VGG")
            for axes, value, word in zip(rows, values, words, strict=False):
                axes.plot(year, value, "o", color=colour, markersize=7)
                rise = 0 if name != "VGG" or axes is rows[0] else (-6, 7)[place]
                axes.annotate(last + word, (year, value), xytext=(left, rise), **side_of_text)
        if error:
            rows[3].plot(year, error, "s", color=colour, markersize=7)
            rows[3].annotate(f"{error}", (year, error), xytext=(left, 0), **side_of_text)
        rows[0].annotate(f"{name}, {year}", (year, 26.5), xytext=(-left, 0), color=colour,
                         weight="bold", size=10.5, annotation_clip=False, **side_of_text)
    rows[3].text(PUBLISHED["LeNet"][0], 10, "read digits; ImageNet is of 2009", color="0.3",
                 va="center")
    rows[0].set(ylim=(0, 24), xlim=(1996.5, 2019))
    rows[1].set(yscale="log", ylim=(1e4, 1e9), yticks=(1e4, 1e6, 1e8))
    rows[2].set(yscale="log", ylim=(1e5, 4e11), yticks=(1e5, 1e8, 1e11))
    rows[3].set(ylim=(0, 20), xlabel="year", xticks=range(1998, 2017, 2))
    for axes in rows:
        axes.minorticks_off()
        axes.grid(axis="x", color="0.9")
    return fig


FIGURES = (timeline,)
