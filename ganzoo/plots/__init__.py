"""Figures of samples, runs and discriminators; each function returns a matplotlib `Figure`.

They show by themselves at the end of a notebook's cell, `figure.savefig("name.png")` writes them,
and none needs a display or leaves anything open.

Pictures, of images `[N, H, W, C]`, uint8 or float in [-1, 1]:
    `samples`: a grid. `strip`: a way from image to image. `pairs`: before and after.
    `comparison`: the same of several models.
Curves, of one or several runs:
    `losses`, `scores`, `augmentation`, `curves` of any scalars of a log. `scalars` and `measured`
    name what a log has.
Discriminators:
    `outputs`: histograms of what they say of real and of fake images.
"""

from ganzoo.plots.curves import augmentation, curves, losses, measured, outputs, scalars, scores
from ganzoo.plots.figures import Figure
from ganzoo.plots.pictures import comparison, pairs, samples, strip
