"""What every model must do; a new model needs no code here.

The first tier has one that draws, with classes, an average and dropout, and one that converts
pairs of images; of the others it has the tests that are quick.
"""

from ganzoo.models import MODELS  # noqa: F401
from ganzoo.testing.suite import *  # noqa: F403

FIRST_TIER = ("acgan", "pix2pix")
