"""The models: new ones by `build`, trained ones by `load`."""

from ganzoo.models.exports import export
from ganzoo.models.foreign import read_model
from ganzoo.models.formats import FORMATS
from ganzoo.models.named import Preset, presets
from ganzoo.models.registry import MODELS, build, construct, model_class, register
from ganzoo.models.storage import load, pack, save, start_from
