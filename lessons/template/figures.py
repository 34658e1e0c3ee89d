"""Draws the pictures of lesson 99. Delete this file where a lesson has none."""

from matplotlib.figure import Figure

from d2lvgg.display import BLUE


def bars_of_lesson_99():
    """One line on what is seen. The function's name is the SVG's."""
    fig = Figure(figsize=(4, 2))
    fig.subplots().bar(["weights", "biases"], [200, 10], color=BLUE)
    return fig


FIGURES = (bars_of_lesson_99,)
