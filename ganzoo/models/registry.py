"""The models, by name."""

import importlib
import inspect

from ganzoo.augment import Augmentation
from ganzoo.config import renamed
from ganzoo.engine import GAN
from ganzoo.errors import UserError, choose, unknown
from ganzoo.recipes import MODELS


def model_class(name: str) -> type[GAN]:
    """The class of a model; raises UserError with the nearest names for an unknown one."""
    title = choose("model", name, MODELS)
    return getattr(importlib.import_module(f"ganzoo.models.{name}"), title)


def build(name: str, augmentation: Augmentation | None = None, **kwargs) -> GAN:
    """A new model with random weights.

    Args:
        name: a key of `MODELS`.
        augmentation: of the images that discriminators are shown in training.
        **kwargs: arguments of the model's constructor, `config.model` of a config.

    Raises:
        UserError: for an unknown name or argument, with the nearest right ones, or images that are
            too small for the augmentation.
    """
    model = construct(name, augmentation, **kwargs)
    if augmentation is not None:
        augmentation.require_size(model.image_size)
    model.build()
    return model


def construct(name: str, augmentation: Augmentation | None = None, **kwargs) -> GAN:
    """A model without weights yet; arguments as `build` takes them."""
    cls, kwargs = model_class(name), renamed(kwargs)
    known = [p for p in inspect.signature(cls).parameters if p != "kwargs"]
    for key in kwargs:
        if key not in known:
            raise unknown(f"argument of {name}", key, known)
    model = cls(augmentation=augmentation, **kwargs)
    if model.channels not in (1, 3):
        raise UserError(
            f"channels = {model.channels}: the images of {name} have 1 channel (grey) or 3 (RGB)"
        )
    model.arguments = kwargs | model.arguments
    return model
