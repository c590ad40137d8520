"""The models, by name."""

import importlib
import inspect
import sys
from collections.abc import Callable
from typing import Any

from ml_collections import ConfigDict

from ganzoo.augment import Augmentation
from ganzoo.config import renamed
from ganzoo.engine import GAN
from ganzoo.errors import UserError, unknown
from ganzoo.recipes import MODELS, Registered, import_module, is_place


class NotImported(UserError):
    """For a "module:Class" that nobody has imported."""


def register(name: str, cls: type[GAN], recipe: Callable[[], ConfigDict]) -> None:
    """Gives a model of your own a name, until the process ends: for `--model`, `config.load`,
    `build` and all else that takes a key of `MODELS`.

    Args:
        name: another one than those of the models that are there; one that was registered before
            is replaced.
        cls: its class.
        recipe: returns its default recipe, as `get_config` of a config file does.

    Raises:
        UserError: for a name that is taken or no identifier, or a class that is no GAN.
    """
    if not name.isidentifier():
        raise UserError(f"A model cannot be named {name!r}: expected letters, digits and _")
    if name in {*MODELS.bundled, *MODELS.installed}:
        raise UserError(f"There is a model {name!r} already, {MODELS[name]}. Give another name.")
    MODELS.registered[name] = Registered(_require_gan(cls, repr(cls)), recipe)


def model_class(name: str) -> type[GAN]:
    """The class of a model.

    A "module:Class" is found where the module has been imported, by an import statement or by a
    config that was loaded. It is not imported here, since the name may stem from a file: files that
    are read must not decide what is executed.

    Args:
        name: a key of `MODELS`, or the place of a class, "module:Class".

    Raises:
        UserError: for an unknown name, with the nearest ones, a module that was not imported, or a
            class that is missing or no GAN.
    """
    if name in MODELS.registered:
        return MODELS.registered[name].cls
    if name in MODELS.bundled:
        module, _, title = MODELS[name].partition(":")
        return getattr(importlib.import_module(module), title)
    if name in MODELS.installed:
        return _class_at(MODELS[name])
    if not is_place(str(name)):
        raise UserError(
            f"{unknown('model', str(name), MODELS)} One of your own has to be registered by"
            " ganzoo.models.register, or its package to be installed."
        )
    module = name.partition(":")[0]
    if module not in sys.modules:
        raise NotImported(
            f"The model {name} is defined in a module that was not imported, since what is loaded"
            f" must not decide what is executed. If you trust it, import {module} first; on a"
            f" command line with --imports={module}."
        )
    return _class_at(name)


def _class_at(place: str) -> type[GAN]:
    """The class at "module:Class", whose module may be imported."""
    module, _, title = place.partition(":")
    found = vars(import_module(module))
    if title not in found:
        gans = [key for key, value in found.items() if _is_gan(value)]
        raise unknown(f"class of {module}", title, gans)
    return _require_gan(found[title], place)


def _is_gan(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, GAN)


def _require_gan(value: Any, name: str) -> type[GAN]:
    if not _is_gan(value):
        raise UserError(
            f"{name} is no GAN: a model is a class that derives from ganzoo.engine.GAN, or from"
            " ganzoo.latents.LatentGAN or ganzoo.translation.ImageGAN"
        )
    return value


def build(name: str, augmentation: Augmentation | None = None, **kwargs) -> GAN:
    """A new model with random weights.

    Args:
        name: a key of `MODELS`, or "module:Class" of a module that was imported.
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
    # Of __init__: before Python 3.11.3, a class without its own has the one of Keras' __new__.
    known = [p for p in inspect.signature(cls.__init__).parameters if p not in ("self", "kwargs")]
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
