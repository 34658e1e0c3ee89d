"""How a figure looks on a screen and in print, and what it says to a reader who does not see it."""

import struct

from cycler import cycler

# Of Okabe and Ito: colour-blind readers tell them apart.
BLUE, ORANGE, GREEN, YELLOW, SKY, RED = (
    "#0072B2", "#E69F00", "#009E73", "#F0E442", "#56B4E9", "#D55E00")
# Of curves, apart in grey as well. A sixth curve is dashed.
COLOURS = (BLUE, ORANGE, GREEN, "#8C2D04", "#000000")
# One style for every picture: matplotlib's settings for drawings in images/, and for plots that a
# cell shows, which are drawn finer than they are shown, for a projector.
STYLE = {"svg.hashsalt": "d2lvgg", "font.family": "DejaVu Sans", "font.size": 10,
         "axes.spines.top": False, "axes.spines.right": False, "axes.titlelocation": "left",
         "axes.edgecolor": "0.4", "grid.color": "0.85", "axes.axisbelow": True,
         "lines.linewidth": 2, "legend.frameon": False,
         "axes.prop_cycle": cycler(linestyle=["-", "--"]) * cycler(color=COLOURS)}
PIXELS_PER_INCH = 100  # of a plot as it is shown
SCREEN = {**STYLE, "figure.dpi": 2 * PIXELS_PER_INCH}


def use_png_display():
    """Show figures in Jupyter as PNG with alt text, where d2l.use_svg_display shows SVG.

    JupyterLab shows no SVG of a notebook that it does not trust, which is every freshly cloned one.
    Plots get SCREEN from here on, as the defaults of matplotlib.
    """
    import matplotlib
    from matplotlib.figure import Figure

    matplotlib.rcParams.update(SCREEN)
    if shell := notebook_shell():
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        set_matplotlib_formats("png")
        formatter = shell.display_formatter.formatters["image/png"]
        draw = formatter.lookup_by_type(Figure)
        formatter.for_type(Figure, lambda fig: (
            (image, as_shown(fig, image)) if (image := draw(fig)) else None))


def as_shown(fig, image, prefix=""):
    """Return what a front end is told of a figure's PNG: its size in pixels, and what it shows."""
    width, height = struct.unpack(">II", image[16:24])  # where a PNG says how large it is
    scale = PIXELS_PER_INCH / fig.dpi
    return {"alt": prefix + describe(fig), "width": round(width * scale),
            "height": round(height * scale)}


def notebook_shell():
    """Return IPython's shell if a notebook is listening to it, else None."""
    from IPython import get_ipython

    shell = get_ipython()
    return shell if hasattr(shell, "kernel") else None


def describe(fig):
    """Return in words what a figure shows, for readers who do not see it.

    Each panel by its title, its axes and its legend, as far as it has them; '' if most have none,
    or all that is named is three words: a caption says it better.
    """
    panels = []
    for axes in fig.axes:
        across, up = (label and label + " (logarithmic)" * (scale == "log") for label, scale in (
            (axes.get_xlabel(), axes.get_xscale()), (axes.get_ylabel(), axes.get_yscale())))
        legend = axes.get_legend()
        names = [text.get_text() for text in legend.get_texts()] if legend else []
        said = [f"{up} against {across}".strip() if across else up]
        said += [f"with {', '.join(names)}"] if names else []
        titles = [axes.get_title(place) for place in ("left", "center", "right")]
        panels += [": ".join(filter(None, [*titles, ", ".join(filter(None, said))]))]
    named = list(filter(None, panels))
    if 2 * len(named) < len(panels) or not named:
        return ""
    count = f"{len(panels)} panels. " * (len(panels) > 1)
    words = f"{count}{'; '.join(named)}.".replace("\n", ", ")
    return words if len(words.split()) >= 4 else ""
