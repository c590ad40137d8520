"""The models by name, and what their default recipes start from.

Durations are counted in images of training data shown to the discriminator, never in steps.
"""

import functools
import importlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import metadata
from types import MappingProxyType, ModuleType
from typing import NamedTuple

from ml_collections import ConfigDict, FieldReference, config_dict

from ganzoo.errors import UserError

_PLACE = re.compile(r"[^\W\d][\w.]*:[^\W\d]\w*")  # "module:Class"


class Registered(NamedTuple):
    """A model that this process has registered."""

    cls: type
    get_config: Callable[[], ConfigDict]


class Models(Mapping[str, str]):
    """Every model by its name, with the place of its class, "module:Class".

    Beside those that come with ganzoo these are the ones that `ganzoo.models.register` was given,
    and those of installed packages, which are entry points of the group `ganzoo.models`; nothing of
    a package is imported before its model is used.

    Args:
        bundled: those that come with ganzoo; the recipe of each is `configs/NAME.py`.

    Raises:
        UserError: when two packages, or a package and ganzoo, have models of one name.
    """

    GROUP = "ganzoo.models"

    def __init__(self, bundled: Mapping[str, str]):
        self.bundled = MappingProxyType(bundled)
        self.registered: dict[str, Registered] = {}

    @functools.cached_property
    def installed(self) -> dict[str, str]:
        """Those of other packages; the recipe of each is `get_config` of the class's module."""
        found, owners = {}, dict.fromkeys(self.bundled, "ganzoo")
        for point in metadata.entry_points(group=self.GROUP):
            owner = point.dist.name
            if owners.setdefault(point.name, owner) != owner:
                raise UserError(
                    f"Two models are named {point.name!r}: that of {owners[point.name]} and"
                    f" {point.value} of the package {owner}. Uninstall one of the two packages."
                )
            found[point.name] = point.value
        return found

    def __getitem__(self, name: str) -> str:
        if name in self.registered:
            cls = self.registered[name].cls
            return f"{cls.__module__}:{cls.__qualname__}"
        return self.bundled[name] if name in self.bundled else self.installed[name]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys([*self.bundled, *self.installed, *self.registered]))

    def __len__(self) -> int:
        return len(list(iter(self)))


# One line per model that comes with ganzoo: its name, which is also that of its recipe, and its
# class.
MODELS = Models(
    {
        "acgan": "ganzoo.models.acgan:ACGAN",
        "biggan": "ganzoo.models.biggan:BigGAN",
        "can": "ganzoo.models.can:CAN",
        "cgan": "ganzoo.models.cgan:CGAN",
        "cyclegan": "ganzoo.models.cyclegan:CycleGAN",
        "dcgan": "ganzoo.models.dcgan:DCGAN",
        "gan": "ganzoo.models.gan:VanillaGAN",
        "lsgan": "ganzoo.models.lsgan:LSGAN",
        "pix2pix": "ganzoo.models.pix2pix:Pix2Pix",
        "r3gan": "ganzoo.models.r3gan:R3GAN",
        "sgan": "ganzoo.models.sgan:SGAN",
        "srgan": "ganzoo.models.srgan:SRGAN",
        "ssgan": "ganzoo.models.ssgan:SSGAN",
        "stylegan2_ada": "ganzoo.models.stylegan2_ada:StyleGAN2ADA",
        "wgan": "ganzoo.models.wgan:WGAN",
    }
)

# Recipes for images of several sizes, in pixels, which stand at the ends of their names.
SIZES = MappingProxyType(
    {"r3gan_ffhq": (64, 256), "r3gan_imagenet": (32, 64), "stylegan2_ada_paper": (256, 512, 1024)}
)


def is_place(name: str) -> bool:
    """Whether a model's name is the place of its class, "module:Class"."""
    return _PLACE.fullmatch(name) is not None


def import_module(name: str) -> ModuleType:
    """A module of a user's own, or of an installed package.

    Raises:
        UserError: when it is not found, or fails.
    """
    try:
        return importlib.import_module(name)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise UserError(
            f"The module {name!r} cannot be imported ({reason}). It has to be installed, or to be"
            " in the current folder."
        ) from error


# The arguments of Adam as the GAN literature has them, with a constant learning rate.
ADAM = MappingProxyType({"learning_rate": 2e-4, "beta_1": 0.5, "beta_2": 0.999, "epsilon": 1e-8})


def recipe(model_name: str, players: Iterable[str]) -> ConfigDict:
    """The keys that every recipe has, with an Adam for each player and an empty `config.model`.

    Args:
        model_name: a key of `MODELS`, or the place of a class of your own, "module:Class".
        players: those of the model.
    """
    config = ConfigDict()

    # Run.
    config.seed = 0
    config.batch_size = 64
    config.microbatch = 1  # parts of a batch that are computed in turn, for less memory
    config.total_images = 6_400_000
    config.tick_images = 64_000  # between two log lines, sample grids and checkpoints
    config.keep_checkpoints = 2
    config.num_samples = 64  # images of a sample grid
    config.jit = "auto"
    config.precision = "auto"

    config.init_from = config_dict.placeholder(str)  # a run, or a model by name

    # Model: the arguments of the class.
    config.model_name = model_name
    config.model = ConfigDict()

    # Optimizers, one for each player, with numbers or schedules.
    config.optimizers = ConfigDict({player: optimizer() for player in players})

    # Augmentation of the images that discriminators are shown, see `ganzoo.augment.make`.
    config.augment = ConfigDict()
    config.augment.pipe = "none"  # or "bgc" and others, "diffaugment", "rotation"
    config.augment.strength = schedulable()  # None: 1; with a target 0, to start
    config.augment.target = config_dict.placeholder(float)  # of adaptive strength; None: fixed
    config.augment.interval = 4  # steps between changes of the strength
    config.augment.speed_images = 500_000  # in which it may rise from 0 to 1

    # Measuring during training, see `ganzoo.evaluation`.
    config.evaluate_images = 0  # between two measurements; 0: never
    config.evaluation = ConfigDict()
    config.evaluation.metrics = config_dict.placeholder(str)  # as in "fd10k_lenet-mnist,psnr_y"
    config.evaluation.weights = config_dict.placeholder(str)  # file of the network, if it needs one
    config.evaluation.dataset = config_dict.placeholder(str)  # None: that of the training
    config.evaluation.split = config_dict.placeholder(str)

    # Data.
    config.data = ConfigDict()
    config.data.dataset = config_dict.placeholder(str)
    config.data.split = "train"
    config.data.data_dir = config_dict.placeholder(str)  # None: where TFDS keeps its data
    config.data.resize = "lanczos"
    config.data.flip = False
    config.data.background = "white"  # what shows through transparent pixels
    config.data.on_bad_file = "fail"
    return config


def optimizer(name: str = "Adam", **arguments) -> ConfigDict:
    """An optimizer of Keras, by the name of its class.

    Args:
        name: as in `keras.optimizers`.
        **arguments: of its constructor; by default `ADAM` for that.
    """
    if name == "Adam":
        arguments = {**ADAM, **arguments}
    scheduled = ("learning_rate", "beta_1", "beta_2", *(["momentum"] if name == "SGD" else []))
    options = {key: schedulable(arguments[key]) for key in scheduled if key in arguments}
    return ConfigDict({"name": name, **arguments, **options})


def schedulable(value: float | tuple | None = None) -> FieldReference:
    """A value that may be a number or a schedule, see `ganzoo.schedules`; None is a placeholder."""
    return FieldReference(value, field_type=object)
