"""What every model must do; a new model needs no code here.

The first tier has a model of each kind of data; of the others it has the tests that are quick.
"""

from ganzoo.models import MODELS, model_class
from ganzoo.testing.suite import *  # noqa: F403

FIRST_TIER = {model_class(name).DATA: name for name in sorted(MODELS, reverse=True)}.values()
