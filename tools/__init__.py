"""What authors and teachers run: python -m tools.notebooks, slides, handout, website and others."""
