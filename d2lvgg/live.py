"""A live plot that every front end can show: d2l.Animator without its flicker and its cost."""

import base64
import functools
import math
import secrets
import time

from .display import SCREEN, as_shown, notebook_shell

FRAMES_PER_SECOND = 5  # at most
HEAD_START = 0.5  # seconds that may go into drawing at once, so that a short run moves too
SHARE_OF_TIME = 0.015  # that may go into drawing after that


class LivePlot:
    """d2l.Animator, made safe and cheap. It needs no d2l: LiveAnimator is this class made d2l's.

    Same arguments, same add(x, y), same attributes. What differs: points left of xlim are shown
    (the first epoch); a frame is drawn at most five times a second, and less often where drawing
    would cost over 2 % of a run of two minutes; it is replaced in place, so a later print does not
    wipe it and a saved notebook holds one image; matplotlib's settings stay as they are. Call
    finish() for the last frame; a notebook cell calls it for you. Outside a notebook nothing is
    shown: .fig holds the plot, save(path) writes it.
    Source: Dive into Deep Learning, section 3.2.
    """

    def __init__(self, xlabel=None, ylabel=None, legend=None, xlim=None, ylim=None,
                 xscale="linear", yscale="linear", fmts=("-", "m--", "g-.", "r:"),
                 nrows=1, ncols=1, figsize=(3.5, 2.5), *, clock=time.perf_counter):
        import matplotlib
        from matplotlib.figure import Figure

        with matplotlib.rc_context(SCREEN):
            self.fig = Figure(figsize)  # not pyplot's, which the inline backend shows once more
            self.axes = self.fig.subplots(nrows, ncols, squeeze=False).flatten()
        self.X, self.Y, self.fmts = None, None, fmts
        self.legend, self.xlim, self.ylim, self.clock = legend or [], xlim, ylim, clock
        self.settings = {"xlabel": xlabel, "ylabel": ylabel, "xscale": xscale, "yscale": yscale,
                         "ylim": ylim}
        self.lines, self.text, self.stale = [], "", False
        self.seconds_drawing, self.frames = 0.0, 0
        self.began, self.last_frame = clock(), -math.inf
        self.shell, self.display_id = notebook_shell(), secrets.token_hex(8)
        self.config_axes()

    def config_axes(self):
        """Set labels, scales, limits, grid and legend, as d2l.set_axes does."""
        self.axes[0].set(**self.settings)
        self._set_xlim()
        self.axes[0].grid(True)
        if self.legend and self.lines:
            self.axes[0].legend()

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
        """Write the plot as an image; the ending of path names the format."""
        self._update_artists()
        self.fig.savefig(path, bbox_inches="tight")

    def restore(self, X, Y):
        """Take up the points of an earlier plot's X and Y, lists of lists, or None."""
        if X:
            self._start_lines(len(X))
            self.X, self.Y = X, Y

    def _start_lines(self, count):
        self.X, self.Y = [[] for _ in range(count)], [[] for _ in range(count)]
        for i in range(count):
            label = self.legend[i] if i < len(self.legend) else None
            self.lines += self.axes[0].plot([], [], self.fmts[i % len(self.fmts)], label=label)
        self.config_axes()

    def _update_artists(self):
        for line, x, y in zip(self.lines, self.X or [], self.Y or [], strict=True):
            whole = min(len(x), len(y))  # Ctrl-C may have come between the two
            line.set_data(x[:whole], y[:whole])
        self.axes[0].relim()
        self.axes[0].autoscale_view(scalex=not self.xlim, scaley=not self.ylim)
        self._set_xlim()
        self.axes[0].set_title(self.text, fontsize="small")

    def _set_xlim(self):
        if self.xlim:
            everything = [*self.xlim, *(a for x in self.X or [] for a in x)]
            low, high = min(everything), max(everything)
            self.axes[0].set_xlim(low, high if high > low else low + 1)

    def _show_frame(self):
        began = self.clock()
        self._update_artists()
        if self.shell:
            from IPython.core.pylabtools import print_figure
            from IPython.display import display

            image = print_figure(self.fig)
            frame = {"image/png": base64.b64encode(image).decode(),
                     "text/plain": self.text or "live plot"}
            shown = {"image/png": as_shown(self.fig, image, "Live plot: ")}
            display(frame, raw=True, metadata=shown, display_id=self.display_id,
                    update=self.frames > 0)  # in place
            if self.finish in self.shell.events.callbacks["post_run_cell"]:
                self.shell.events.unregister("post_run_cell", self.finish)
        self.stale = False
        self.frames += 1
        self.last_frame = self.clock()
        self.seconds_drawing += self.last_frame - began


LiveAnimator: type[LivePlot]  # made by __getattr__ when it is first asked for


@functools.cache
def __getattr__(name):
    """Make LiveAnimator: LivePlot and d2l.Animator in one, or LivePlot where d2l is missing.

    At first use, because importing d2l takes longer than importing torch.
    """
    if name != "LiveAnimator":
        raise AttributeError(f"module {__name__} has no attribute {name}")
    try:
        from d2l.torch import Animator
    except ImportError:
        return LivePlot
    return type(name, (LivePlot, Animator), {"__doc__": LivePlot.__doc__, "__module__": __name__})
