"""Draws the waterfall of lesson 15."""

import json

from matplotlib.figure import Figure

from d2lvgg.display import BLUE, ORANGE
from tools.figures import RESULTS


def speed_waterfall():
    """Examples a second from the book's loop to ours, as benchmarks/train_speed.py measured."""
    results = json.loads((RESULTS / "cpu.json").read_text(encoding="utf-8"))
    fig = Figure(figsize=(7.4, 4.4))
    panels = fig.subplots(len(results["sizes"]), 1, squeeze=False)[:, 0]
    for axes, (pixels, found) in zip(panels, results["sizes"].items(), strict=True):
        rates = found["examples/s"]
        medians = [rate["median"] for rate in rates.values()]
        for place, (rate, before) in enumerate(zip(rates.values(), [0, *medians], strict=False)):
            axes.barh(place, min(rate["median"], before), color="0.8")
            gain = rate["median"] - before
            axes.barh(place, abs(gain), left=min(rate["median"], before),
                      color=BLUE if gain > 0 else ORANGE)
            axes.plot([rate["least"], rate["most"]], [place, place], color="k", linewidth=1)
            axes.text(max(rate["median"], rate["most"]) + 0.01 * max(medians), place,
                      f"{rate['median']:.0f}", va="center", size=9)
        axes.axvline(medians[0], color="0.4", linestyle="--", linewidth=0.8, zorder=0)
        axes.set_yticks(range(len(rates)), list(rates), size=9)
        axes.invert_yaxis()
        axes.set_xlim(0, max(rate["most"] for rate in rates.values()) * 1.1)
        ratio = found["ratio of the book's seconds to ours"]
        axes.set_title(f"{pixels} pixels: {ratio['median']:.1f} times the book's speed "
                       f"({ratio['least']:.1f} to {ratio['most']:.1f})", size=10, loc="left")
        axes.spines[["top", "right"]].set_visible(False)
    panels[-1].set_xlabel(f"examples a second, wall-clock, on {results['processor']} with "
                          f"{results['machine']['CPU cores for torch']} threads", size=9)
    fig.tight_layout()
    return fig


FIGURES = (speed_waterfall,)
