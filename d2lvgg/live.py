"""A live plot that every front end can show: d2l.Animator without its flicker and its cost."""

import base64
import io
import math
import time

from cycler import cycler
from d2l import torch as d2l
from IPython import get_ipython
from IPython.display import display
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib_inline.backend_inline import set_matplotlib_formats

FRAMES_PER_SECOND = 5  # at most
HEAD_START = 0.5  # seconds that may go into drawing at once, so that a short run moves too
SHARE_OF_TIME = 0.015  # that may go into drawing after that
# Of curves: apart for colour-blind readers, and apart in grey. A sixth curve is dashed.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#8C2D04", "#000000")
STYLES = cycler(linestyle=["-", "--"]) * cycler(color=COLOURS)


def use_png_display():
    """Show pictures in Jupyter as PNG with alt text, where d2l.use_svg_display shows SVG.

    JupyterLab shows no SVG of a notebook that it does not trust, which is every freshly cloned one.
    Curves get COLOURS.
    """
    plt.rcParams.update({"figure.dpi": 110, "axes.prop_cycle": STYLES})
    set_matplotlib_formats("png")
    if shell := notebook_shell():
        formatter = shell.display_formatter.formatters["image/png"]
        draw = formatter.lookup_by_type(Figure)
        formatter.for_type(Figure, lambda fig: (
            (picture, {"alt": describe(fig)}) if (picture := draw(fig)) else None))


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


class LiveAnimator(d2l.Animator):
    """d2l.Animator, made safe and cheap.

    Same arguments, same add(x, y). What differs: points left of xlim are shown (the first epoch);
    a frame is drawn at most five times a second, and less often where drawing would cost over 2 %
    of a run of two minutes; it is replaced in place, so a later print does not wipe it and a saved
    notebook holds one picture. Call finish() for the last frame; a notebook cell calls it for you.
    Outside a notebook nothing is shown: .fig holds the plot, save(path) writes it.
    Source: Dive into Deep Learning, section 3.2.
    """

    def __init__(self, xlabel=None, ylabel=None, legend=None, xlim=None, ylim=None,
                 xscale="linear", yscale="linear", fmts=("-", "m--", "g-.", "r:"),
                 nrows=1, ncols=1, figsize=(3.5, 2.5), *, clock=time.perf_counter):
        super().__init__(xlabel, ylabel, legend, xlim, ylim, xscale, yscale, fmts,
                         nrows, ncols, figsize)
        use_png_display()
        plt.close(self.fig)  # else the inline backend shows it a second time
        self.legend, self.xlim, self.ylim, self.clock = legend or [], xlim, ylim, clock
        self.lines, self.text = [], ""
        self.seconds_drawing, self.frames = 0.0, 0
        self.began, self.last_frame = clock(), -math.inf
        self.stale, self.handle = False, None
        self.shell = notebook_shell()
        self.config_axes()

    def add(self, x, y, text=None):
        """Add a point to each line (None: no point), and text, if given, above the plot."""
        ys = y if hasattr(y, "__len__") else [y]
        xs = x if hasattr(x, "__len__") else [x] * len(ys)
        if not self.lines:
            self._start_lines(len(ys))
        for i, (a, b) in enumerate(zip(xs, ys, strict=True)):
            if a is not None and b is not None:
                self.X[i].append(a)
                self.Y[i].append(b)
        self.text = self.text if text is None else text
        if not self.stale and self.shell:
            # The book's loops never say that they are done, so the end of the cell says it.
            self.shell.events.register("post_run_cell", self.finish)
        self.stale = True
        now = self.clock()
        budget = HEAD_START + SHARE_OF_TIME * (now - self.began)
        if now >= self.last_frame + 1 / FRAMES_PER_SECOND and self.seconds_drawing <= budget:
            self._show_frame()

    def finish(self, _cell_result=None):
        """Show the last frame, if points were added since the one on show."""
        if self.stale:
            self._show_frame()

    def save(self, path):
        """Write the plot as a picture; the ending of path names the format."""
        self._update_artists()
        self.fig.savefig(path, bbox_inches="tight")

    def restore(self, X, Y):
        """Take up the points of an earlier animator's X and Y, lists of lists, or None."""
        if X:
            self._start_lines(len(X))
            self.X, self.Y = X, Y

    def _start_lines(self, count):
        self.X, self.Y = [[] for _ in range(count)], [[] for _ in range(count)]
        for i in range(count):
            label = self.legend[i] if i < len(self.legend) else None
            self.lines += self.axes[0].plot([], [], self.fmts[i % len(self.fmts)], label=label)
        if self.legend:
            self.axes[0].legend()

    def _update_artists(self):
        axes = self.axes[0]
        for line, x, y in zip(self.lines, self.X or [], self.Y or [], strict=True):
            whole = min(len(x), len(y))  # Ctrl-C may have come between the two
            line.set_data(x[:whole], y[:whole])
        axes.relim()
        axes.autoscale_view(scalex=not self.xlim, scaley=not self.ylim)
        if self.xlim:
            everything = [*self.xlim, *(a for x in self.X or [] for a in x)]
            low, high = min(everything), max(everything)
            axes.set_xlim(low, high if high > low else low + 1)
        axes.set_title(self.text, fontsize="small")

    def _show_frame(self):
        began = self.clock()
        self._update_artists()
        if self.shell:
            frame = {"image/png": self._png(), "text/plain": self.text or "live plot"}
            words = {"image/png": {"alt": f"Live plot: {describe(self.fig)}"}}
            if self.handle:
                self.handle.update(frame, raw=True, metadata=words)
            else:
                self.handle = display(frame, raw=True, metadata=words, display_id=True)
            if self.finish in self.shell.events.callbacks["post_run_cell"]:
                self.shell.events.unregister("post_run_cell", self.finish)
        self.stale = False
        self.frames += 1
        self.last_frame = self.clock()
        self.seconds_drawing += self.last_frame - began

    def _png(self):
        picture = io.BytesIO()
        self.fig.savefig(picture, format="png", bbox_inches="tight")
        return base64.b64encode(picture.getvalue()).decode()


def notebook_shell():
    """Return IPython's shell if a notebook is listening to it, else None."""
    shell = get_ipython()
    return shell if shell is not None and hasattr(shell, "kernel") else None
