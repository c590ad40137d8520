"""The instrument: what a training step, and every other part of ganzoo, takes."""
