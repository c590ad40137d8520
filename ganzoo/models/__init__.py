"""The models: new ones by `build`, trained ones by `load`."""

from ganzoo.models.exports import export
from ganzoo.models.foreign import read_model
from ganzoo.models.loading import load, start_from
from ganzoo.models.named import presets
from ganzoo.models.registry import MODELS, build, construct, model_class, register
from ganzoo.models.storage import pack, save
from ganzoo.programs import PROGRAMS
from ganzoo.programs.program import Preset
