"""What every model must do; a new model needs no code here."""

from ganzoo.models import MODELS  # noqa: F401
from ganzoo.testing.suite import *  # noqa: F403
