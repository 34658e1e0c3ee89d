"""What authors and teachers run: python -m tools.notebooks, slides, website, classroom, figures."""
