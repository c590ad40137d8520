"""ganzoo: generative adversarial networks on Keras 3 and TensorFlow, one file per paper.

Submodules are imported at first use, so that `import ganzoo` costs nothing and TensorFlow is
loaded only by what needs it: `ganzoo.models.build("ssgan", image_size=32, channels=3)`.
"""

import importlib
import os
import pkgutil
from types import ModuleType

from ganzoo import quiet

__version__ = "0.1.0"

quiet.start_tensorflow_quietly()

if os.environ.get("KERAS_BACKEND") == "torch":
    # PyTorch's Triton crashes where TensorFlow came first: tensorflow/tensorflow#124205.
    importlib.import_module("keras")


def __getattr__(name: str) -> ModuleType:
    if name in __dir__():
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *(module.name for module in pkgutil.iter_modules(__path__))})
