"""What a reader of a lesson reads as text: lesson.md without code, comments and addresses."""

import re

NEW_FRAME = re.compile(r'^<!-- #region .*"predict".*-->$', re.M)
# What is taken out, in this order, and what stands in its place: a number for what becomes one.
NO_PROSE = [
    (r"(?ms)^[ \t]*(`{3,}|~{3,}).*?(?:^[ \t]*\1[ \t]*$|\Z)", ""),  # fenced code
    (r"(?s)<!--.*?-->", ""),
    (r"(?ms)^## References\b.*?(?=^## |\Z)", ""),
    (r"(`+)[^`\n].*?\1", ""),  # inline code
    (r"\{\{.*?\}\}", "0"),  # numbers from the run
    (r"(?s)\$\$.*?\$\$", "0"),
    (r"\$[^$\n]+\$", "0"),
    (r"\]\([^)\n]*\)", "]"),  # the address of a link or a picture; its text stays
    (r"(?m)^\[[^\]\n]+\]:.*$", ""),
    (r"https?://[^\s>)]+", ""),
    (r"</?[a-zA-Z][^>\n]*>", ""),
]


def is_new_frame(text):
    """Return whether a lesson asks its predictions in cells of their own, as the new frame does."""
    return bool(NEW_FRAME.search(text))


def prose(text):
    """Return the prose of a lesson.md, line by line where it was, the rest left blank."""
    for pattern, instead in NO_PROSE:
        text = re.sub(pattern, lambda found, instead=instead: instead + "\n" * found[0].count("\n"),
                      text)
    return text
