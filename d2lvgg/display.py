"""How pictures look: colours and styles."""

BLUE, ORANGE, GREEN, YELLOW, SKY, RED = (
    "#0072B2", "#E69F00", "#009E73", "#F0E442", "#56B4E9", "#D55E00")
STYLE = {"svg.hashsalt": "d2lvgg", "font.family": "DejaVu Sans", "font.size": 9,
         "axes.spines.top": False, "axes.spines.right": False}
