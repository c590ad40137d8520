"""Weights in files of other programs, read as data: nothing in a file is executed."""

from ganzoo.weights.files import read
from ganzoo.weights.pickles import RefusedFile

__all__ = ["RefusedFile", "read"]
