"""Augmentations that work on batches of images inside the training step, by name in configs."""

from ganzoo.augment.augmentation import Augmentation
from ganzoo.augment.diffaugment import DiffAugment
from ganzoo.augment.pipe import PIPES, AugmentPipe
from ganzoo.augment.rotation import (
    NUM_ROTATIONS,
    ROTATION_BATCHES,
    Rotation,
    rotate90,
    rotation_batch_quarter,
    rotation_batch_split,
)
from ganzoo.augment.strength import AdaptiveStrength, Strength
from ganzoo.errors import UserError, unknown
from ganzoo.schedules import is_schedule

_DIFFAUGMENT = "diffaugment"
NAMES = ("none", *PIPES, _DIFFAUGMENT, "rotation")


def make(
    pipe: str = "none",
    strength: float | tuple | None = None,
    target: float | None = None,
    interval: int = 4,
    speed_images: int = 500_000,
) -> Augmentation | None:
    """The augmentation of `config.augment`.

    Args:
        pipe: "none", whatever the others are; a key of `PIPES`; "rotation"; or "diffaugment", which
            may be followed by a policy: "diffaugment:color,translation".
        strength: probability of each transform, for each image, a number or a schedule. None is 1,
            or with a target 0.
        target: of `AdaptiveStrength`, which then moves the strength; None leaves it.
        interval: of `AdaptiveStrength`, in steps.
        speed_images: of `AdaptiveStrength`.

    Returns:
        None for "none".

    Raises:
        UserError: for an unknown name, or a schedule beside a target.
    """
    name, _, policy = pipe.partition(":")
    if name not in NAMES or (policy and name != _DIFFAUGMENT):
        raise unknown("augmentation", pipe, NAMES)
    if name == "none":
        return None
    if target is not None and is_schedule(strength):
        raise UserError(
            f"config.augment.strength = {strength!r} follows a schedule, and config.augment.target"
            f" = {target} adapts it: give one of them, or a number to start from"
        )
    if target is None:
        chance = Strength(1.0 if strength is None else strength)
    else:
        chance = AdaptiveStrength(strength or 0.0, target, interval, speed_images)
    if name in PIPES:
        return AugmentPipe(name, strength=chance)
    if name == "rotation":
        return Rotation(strength=chance)
    return DiffAugment(*[policy] if policy else [], strength=chance)
