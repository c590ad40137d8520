"""Recipes that run: `<model>.py` is a model's default, others are `<model>_<dataset>.py`."""
