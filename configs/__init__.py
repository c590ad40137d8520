"""Recipes that run: `<model>.py` is a model's default, `<model>_<dataset>.py` a preset of it."""
