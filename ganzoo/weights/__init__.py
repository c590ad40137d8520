"""Weights in files of other programs: read as data, without executing anything, and written."""

from ganzoo.weights.files import read
from ganzoo.weights.pickles import RefusedFile
from ganzoo.weights.writing import write_pytorch
