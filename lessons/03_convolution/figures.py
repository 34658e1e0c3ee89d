"""Draws the pictures of lesson 03: the filter that moves, and what padding, stride, … mean."""

import torch
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

import d2lvgg
from d2lvgg.display import BLUE, ORANGE, RED, SKY

ROWS, COLUMNS = slice(10, 16), slice(12, 28)  # the part of the boot that the lesson takes
EDGE = ((-1, 0, 1),) * 3
STILL = 1, 1  # row and column of the window in the picture that stands still
SECONDS = 0.7  # that a window stays
CELL = 30  # pixels of the picture a cell


def blend(colour, share):
    """Return colour, '#RRGGBB', mixed with white: all of it at share 1, white at 0."""
    parts = (int(colour[place:place + 2], 16) for place in (1, 3, 5))
    return "#" + "".join(f"{round(255 - share * (255 - part)):02x}" for part in parts)


def grid(axes, left, top, numbers, colours=None, size=9):
    """Draw rows of numbers (texts, or '' for none) as cells; top is the upper edge."""
    for row, line in enumerate(numbers):
        for column, number in enumerate(line):
            colour = colours[row][column] if colours else "w"
            axes.add_patch(Rectangle((left + column, top - row - 1), 1, 1, facecolor=colour,
                                     edgecolor="0.5", linewidth=0.7))
            axes.text(left + column + 0.5, top - row - 0.5, str(number), ha="center", va="center",
                      size=size)


def canvas(width, height, across, up):
    """Return (figure, axes without frame) of width × height inches that show across × up cells."""
    fig = Figure(figsize=(width, height))
    axes = fig.add_axes((0, 0, 1, 1))
    axes.set(xlim=across, ylim=up, aspect="equal")
    axes.axis("off")
    return fig, axes


# The filter that moves: SVG with CSS, since matplotlib draws nothing that moves.

def square(x, y, text, colour, dark, more=""):
    """Return SVG of one cell with a number in it."""
    return (f'<g{more}><rect x="{x}" y="{y}" width="{CELL}" height="{CELL}" fill="{colour}" '
            f'stroke="#999"/><text x="{x + CELL / 2}" y="{y + 20}" text-anchor="middle" '
            f'fill="{"#fff" if dark else "#000"}">{text}</text></g>')


def signed(number):
    """Return a number with a true minus sign."""
    return f"{number}".replace("-", "−")


def working(window):
    """Return the lines that work out one window: a line a row, then the sum."""
    lines = []
    for weights, pixels in zip(EDGE, window, strict=True):
        products = " + ".join(f"({signed(w)})·{p}" if w < 0 else f"{w}·{p}"
                              for w, p in zip(weights, pixels, strict=True))
        total = sum(w * p for w, p in zip(weights, pixels, strict=True))
        lines.append(f"{products} = {signed(total)}")
    total = sum(w * p for weights, pixels in zip(EDGE, window, strict=True)
                for w, p in zip(weights, pixels, strict=True))
    return [*lines, f"together: {signed(total)}"], total


def small_boot(boot, x, y, scale):
    """Return SVG of the whole boot, with a frame around the part that is taken."""
    pixels = "".join(
        f'<rect x="{x + scale * column}" y="{y + scale * row}" width="{scale}" height="{scale}" '
        f'fill="{blend("#000000", ink)}"/>'
        for row, line in enumerate(boot) for column, ink in enumerate(line) if ink)
    top, left = y + scale * ROWS.start, x + scale * COLUMNS.start
    width, height = (scale * (part.stop - part.start) for part in (COLUMNS, ROWS))
    return (f'{pixels}<rect x="{left}" y="{top}" width="{width}" height="{height}" fill="none" '
            f'stroke="{RED}" stroke-width="2"/>')


def filter_moves():
    """Return SVG text: the edge filter moves over a part of the boot, and fills a map.

    Responses to come are pale, so that a frame caught on its way says the same.
    """
    X, _ = d2lvgg.garments(28)
    boot = X[0, 0]
    patch = (10 * boot[ROWS, COLUMNS]).round().int().tolist()
    height, width = len(patch) - 2, len(patch[0]) - 2
    places = [(row, column) for row in range(height) for column in range(width)]
    count = len(places) + 5  # the full map stays for five steps more
    left, top, below = 236, 34, 34 + CELL * (height + 2) + 44
    windows = {(r, c): [line[c:c + 3] for line in patch[r:r + 3]] for r, c in places}
    worked = {place: working(window) for place, window in windows.items()}
    most = max(abs(total) for _, total in worked.values())

    body = [f'<text x="0" y="18">the boot</text>{small_boot(boot.tolist(), 0, 26, 5)}',
            f'<text x="{left}" y="22">the framed pixels, times ten</text>',
            f'<text x="{left + CELL}" y="{below - 12}">the filter\'s response at each place</text>',
            f'<text x="0" y="{below - 60}">the filter</text>']
    body += [square(left + CELL * column, top + CELL * row, ink, blend("#000000", 0.08 * ink),
                    ink > 6) for row, line in enumerate(patch) for column, ink in enumerate(line)]
    body += [square(CELL * column, below - 50 + CELL * row, signed(weight), "#fff", False)
             for row, line in enumerate(EDGE) for column, weight in enumerate(line)]
    frames, style = [], []
    for step, (row, column) in enumerate(places):
        lines, total = worked[row, column]
        share = abs(total) / most
        body.append(square(left + CELL * (column + 1), below + CELL * row, signed(total),
                           blend(ORANGE if total > 0 else BLUE, share),
                           total < 0 and share > 0.5, f' class="out" id="o{step}"'))
        texts = "".join(f'<text x="0" y="{below + 62 + 19 * line}">{text}</text>'
                        for line, text in enumerate(lines))
        still = " still" * ((row, column) == STILL)
        body.append(f'<g class="work{still}" style="animation-delay:'
                    f'{SECONDS * (step - count):.1f}s">{texts}</g>')
        frames.append(f"{100 * step / count:.3f}%{{transform:translate({CELL * column}px,"
                      f"{CELL * row}px)}}")
        style.append(f"@keyframes f{step}{{0%{{opacity:.25}}{100 * step / count:.3f}%{{opacity:1}}"
                     f"}}#o{step}{{animation-name:f{step}}}")
    row, column = STILL
    for x, y, size in ((left, top, 3), (left + CELL, below, 1)):
        body.append(f'<rect class="window" x="{x}" y="{y}" width="{size * CELL}" '
                    f'height="{size * CELL}" fill="none" stroke="{RED}" stroke-width="4"/>')
    seconds = f"{SECONDS * count:.1f}s"
    css = (f"text{{font:13px 'DejaVu Sans',sans-serif}}.work{{opacity:0}}.still{{opacity:1}}"
           f".window{{transform:translate({CELL * column}px,{CELL * row}px)}}"
           "@media screen and (prefers-reduced-motion:no-preference){"
           f".work{{animation:now {seconds} step-end infinite}}"
           f".out{{animation-duration:{seconds};animation-timing-function:step-end;"
           "animation-iteration-count:infinite}"
           f".window{{animation:walk {seconds} step-end infinite}}"
           f"@keyframes now{{0%{{opacity:1}}{100 / count:.3f}%{{opacity:0}}}}"
           f"@keyframes walk{{{''.join(frames)}}}{''.join(style)}}}")
    across, up = left + CELL * (width + 2) + 4, below + CELL * height + 44
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{across}" height="{up}" '
            f'viewBox="-2 0 {across} {up}"><style>{css}</style>'
            f'<rect x="-2" width="100%" height="100%" fill="#fff"/>{"".join(body)}</svg>\n')


# What stands still.

def seen_by_windows():
    """How many windows see each pixel, without and with a frame of zeros."""
    fig, axes = canvas(7, 3.6, (-0.3, 20.5), (-1.6, 9.2))
    ones = torch.ones(1, 1, 3, 3)
    for left, padding in ((0, 0), (11.5, 1)):
        places = torch.ones(1, 1, 4 + 2 * padding, 4 + 2 * padding)
        counts = torch.nn.functional.conv_transpose2d(places, ones)[0, 0].int()  # padding included
        side = len(counts)
        inside = counts[padding:side - padding, padding:side - padding].tolist()
        if padding:
            frame = [["" if 0 < min(r, c) and max(r, c) < side - 1 else "0" for c in range(side)]
                     for r in range(side)]
            grid(axes, left - 1, 8, frame, [["0.9"] * side] * side)
        grid(axes, left, 7, inside, [[blend(SKY, n / 9) for n in line] for line in inside], 10)
        axes.add_patch(Rectangle((left - padding, 7 + padding - 3), 3, 3, fill=False,
                                 edgecolor=RED, linewidth=2.5))
        words = (f"padding {padding}: {side - 2} × {side - 2} places for the window,\n"
                 f"so 6 × 6 pixels give a map of {side - 2} × {side - 2}")
        axes.text(left - padding, -0.3, words, va="top", size=9.5)
        axes.text(left - padding, 8.3, "without padding" if not padding else
                  "with a frame of zeros", size=10.5, weight="bold")
    return fig


def windows_in_a_row():
    """Where a window of three stops in a row of eight pixels, for three choices."""
    fig, axes = canvas(7, 4.6, (-1.4, 16.6), (-1.2, 11))
    top = 10.5
    for stride, padding in ((1, 0), (1, 1), (2, 1)):
        starts = range(-padding, 8 + padding - 2, stride)
        for pixel in range(-padding, 8 + padding):
            real = 0 <= pixel < 8
            axes.add_patch(Rectangle((pixel, top - 0.7), 1, 0.7, facecolor=SKY if real else "0.9",
                                     edgecolor="0.4", linewidth=0.8))
            axes.text(pixel + 0.5, top - 0.36, pixel + 1 if real else 0, ha="center", va="center",
                      size=9)
        for place, start in enumerate(starts):  # three lanes, so that windows do not overlap
            low = top - 1.05 - 0.4 * (place % (3 if stride == 1 else 2))
            axes.plot([start + 0.08, start + 2.92], [low, low], color=RED, linewidth=2.2,
                      solid_capstyle="butt")
            axes.plot(start + 1.5, low, "o", color="k", markersize=4)
        axes.text(9.6, top - 0.5, f"padding {padding}, stride {stride}", size=10.5, weight="bold")
        axes.text(9.6, top - 0.75, f"{len(starts)} windows, so {len(starts)} numbers out",
                  size=9.5, va="top")
        top -= 4.1
    return fig


def max_pool():
    """A 4 × 4 map, the largest and the mean of each of its four windows."""
    numbers = [[1, 3, 0, 0], [2, 8, 0, 4], [0, 2, 5, 5], [2, 0, 5, 5]]
    tones = [SKY, "w", "w", SKY]
    fig, axes = canvas(7, 2.6, (-0.3, 16.3), (-0.9, 5.1))
    colours = [[blend(SKY, 0.7) if tones[2 * (r // 2) + c // 2] == SKY else "w" for c in range(4)]
               for r in range(4)]
    grid(axes, 0, 4, numbers, colours, 11)
    maps = torch.tensor(numbers, dtype=torch.float)[None]
    pools = (torch.nn.functional.max_pool2d, torch.nn.functional.avg_pool2d)
    for left, top, name, pool in zip((8, 13), (3, 3), ("max-pool", "average-pool"), pools,
                                     strict=True):
        out = [[f"{value:g}" for value in line] for line in pool(maps, 2)[0].tolist()]
        grid(axes, left, top, out, [[colours[0][0], "w"], ["w", colours[0][0]]], 10)
        axes.text(left + 1, 4.3, name, ha="center", size=10.5, weight="bold")
    axes.text(2, 4.3, "a 4 × 4 map", ha="center", size=10.5, weight="bold")
    axes.text(0, -0.3, "windows of 2 × 2, stride 2", va="top", size=9.5)
    axes.text(9, 0.7, "the largest\nof each four", size=9.5, ha="center", va="top")
    axes.text(14, 0.7, "the mean\nof each four", size=9.5, ha="center", va="top")
    axes.annotate("", (7.4, 2), (4.6, 2), arrowprops={"arrowstyle": "->"})
    return fig


def channels_and_filters():
    """Three channels in, two filters of three kernels each, two maps out."""
    fig, axes = canvas(7, 3.9, (-0.5, 21.5), (-1.4, 10.8))

    def stack(left, bottom, side, count, colour, step=0.7):
        for place in range(count):
            low = bottom + step * (count - 1 - place)
            axes.add_patch(Rectangle((left + step * (count - 1 - place), low), side, side,
                                     facecolor=blend(colour, 0.35 + 0.2 * place),
                                     edgecolor="0.3", linewidth=0.9))

    stack(0, 2.4, 4.2, 3, SKY)
    for bottom in (6.2, 0.8):
        stack(9, bottom, 2.1, 3, ORANGE)
        axes.add_patch(Rectangle((16.5, bottom - 0.3), 4.2, 4.2, facecolor=blend(BLUE, 0.35),
                                 edgecolor="0.3", linewidth=0.9))
        axes.annotate("", (8.7, bottom + 1.7), (5.8, 5.2), arrowprops={"arrowstyle": "->"})
        axes.annotate("", (16.3, bottom + 1.7), (12.8, bottom + 1.7),
                      arrowprops={"arrowstyle": "->"})
        axes.text(14.5, bottom + 2.1, "add up\n+ bias", ha="center", va="bottom", size=9)
    axes.text(2.8, 1.9, "3 channels in", ha="center", va="top", size=10)
    axes.text(10.7, 10.1, "2 filters of 3 kernels", ha="center", va="bottom", size=10)
    axes.text(10.7, 0.3, "3 · 3 · 3 = 27 weights\nand 1 bias each", ha="center", va="top", size=10)
    axes.text(18.6, 0.1, "2 channels out", ha="center", va="top", size=10)
    return fig


def shared_weights():
    """Eight inputs and eight outputs, joined by a linear layer and by a convolution."""
    fig, axes = canvas(7, 3.2, (-0.6, 20.6), (-2.4, 6.4))
    for left, shared in ((0, False), (11.5, True)):
        for out in range(8):
            for pixel in range(8):
                if shared and abs(pixel - out) > 1:
                    continue
                colour, style = {-1: (BLUE, "-"), 0: (ORANGE, "--"), 1: ("k", ":")}[
                    pixel - out] if shared else ("0.6", "-")
                axes.plot([left + pixel, left + out], [0.3, 4.7], style, color=colour,
                          linewidth=1.7 if shared else 0.7, zorder=1)
        for row in (0, 5):
            axes.plot([left + place for place in range(8)], [row] * 8, "s", color=SKY,
                      markeredgecolor="0.3", markersize=9, zorder=2)
        words = "3 weights, used at each place" if shared else "8 · 8 = 64 weights, all different"
        axes.text(left - 0.4, -0.9, words, va="top", size=9.5)
        axes.text(left - 0.4, 5.7, "convolution" if shared else "linear layer", size=10.5,
                  weight="bold")
    axes.text(9.3, 0, "in", va="center", ha="center", size=9.5)
    axes.text(9.3, 5, "out", va="center", ha="center", size=9.5)
    return fig


def lenet_shapes():
    """LeNet from image to ten scores: each step's channels and side."""
    steps = (("image", 1, 28), ("5×5 conv", 6, 28), ("pool", 6, 14), ("5×5 conv", 16, 10),
             ("pool", 16, 5), ("linear", 120, 0), ("linear", 84, 0), ("linear", 10, 0))
    fig, axes = canvas(7.4, 2.9, (-2, 131), (-13, 38))
    left = 0
    for place, (name, channels, side) in enumerate(steps):
        if side:
            shown = min(channels, 5)
            for copy in reversed(range(shown)):
                axes.add_patch(Rectangle((left + copy, 12 - side / 2 + copy), 0.62 * side,
                                         side, facecolor=blend(BLUE if "conv" in name else
                                                               ORANGE if place else "#888888", 0.4),
                                         edgecolor="0.3", linewidth=0.8))
            width, label = 0.62 * side + shown - 1, f"{channels} × {side} × {side}"
        else:
            tall = max(channels / 5, 3)
            axes.add_patch(Rectangle((left + 2, 12 - tall / 2), 2.2, tall,
                                     facecolor=blend("#009E73", 0.5), edgecolor="0.3",
                                     linewidth=0.8))
            width, label = 6.2, f"{channels}"
        middle = left + width / 2
        axes.text(middle, -5.5, name.replace(" ", "\n"), ha="center", va="top", size=9)
        axes.text(middle, 32, label.replace(" × ", "×"), ha="center", va="bottom", size=9)
        left += width + (7 if side else 4.5)
    return fig


FIGURES = (seen_by_windows, windows_in_a_row, max_pool, channels_and_filters, shared_weights,
           lenet_shapes)
MOVING = (filter_moves,)
