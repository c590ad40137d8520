"""Numbers that change during training: schedules, as data.

A schedule is a tuple: its shape, then points (images trained on, value), as in
`("cosine", (0, 2e-4), (20_000_000, 5e-5))`. Before the first point it has the first value, from the
last point on the last value.

linear  straight from point to point
cosine  from point to point along half a cosine, level at both:
        Loshchilov & Hutter 2017, https://arxiv.org/abs/1608.03983, eq. 5
step    the value of the latest point
exponential  from point to point by a constant factor for each image; of positive values
"""

import itertools
import math
from collections.abc import Mapping
from typing import Any

from ganzoo.errors import UserError, choose

EXAMPLE = '("cosine", (0, 2e-4), (100_000, 5e-5))'

# From the part of the images between two points, 0 to 1, and the points' values.
_SHAPES = {
    "linear": lambda part, before, after, cos: before + (after - before) * part,
    "cosine": lambda part, before, after, cos: (
        before + (after - before) * (1.0 - cos(math.pi * part)) / 2.0
    ),
    "step": lambda part, before, after, cos: before + 0.0 * part,
    "exponential": lambda part, before, after, cos: before * (after / before) ** part,
}

# How recipes described the decay of learning rates before there were schedules.
DECAY_KEYS = ("learning_rate", "decay_start_images", "decay_end_images", "final_learning_rate")


def is_schedule(value: Any) -> bool:
    """Whether a hyperparameter is a schedule; else it is constant, as tuples of sizes are."""
    return isinstance(value, (tuple, list)) and not all(isinstance(part, int) for part in value)


def values_of(value: Any) -> list:
    """Every value that a hyperparameter has at a point, or its only one."""
    return [point[1] for point in value[1:]] if is_schedule(value) else [value]


def value_at(value: Any, images: Any) -> Any:
    """A hyperparameter after so many images: a constant as it is; a schedule as a float for an
    integer, as a float32 scalar tensor for a tensor."""
    if not is_schedule(value):
        return value
    if isinstance(images, int):
        return float(_interpolated(value, images, _where, math.cos))
    from keras import ops  # loads TensorFlow

    # In float64, since float32 counts images one by one up to 16 million only.
    images = ops.cast(images, "float64")
    return ops.cast(_interpolated(value, images, ops.where, ops.cos), "float32")


def _interpolated(schedule, images, where, cos):
    name, *points = schedule
    shape, value = _SHAPES[name], points[0][1]
    for (start, before), (end, after) in itertools.pairwise(points):
        part = (images - start) / (end - start)
        value = where(images >= start, shape(part, before, after, cos), value)
    last, final = points[-1]
    return where(images >= last, final, value)


def _where(condition: bool, value: float, other: float) -> float:
    return value if condition else other


def check(name: str, schedule: Any) -> None:
    """Raises UserError, which has the hyperparameter's name, for what is not a schedule."""

    def refuse(words: str) -> UserError:
        return UserError(f"{name} = {schedule!r}: {words}, as in {EXAMPLE}")

    if not schedule or not isinstance(schedule[0], str):
        raise refuse(f"expected a schedule that begins with its shape, {' or '.join(_SHAPES)}")
    choose(f"shape of the schedule {name}", schedule[0], _SHAPES)
    points = schedule[1:]
    if len(points) < 2 or not all(
        isinstance(point, (tuple, list)) and len(point) == 2 for point in points
    ):
        raise refuse("expected two or more points (images, value)")
    images = [point[0] for point in points]
    if any(type(n) is not int for n in images) or images[0] < 0 or images != sorted({*images}):
        raise refuse("the points' images have to be whole numbers from 0 on, each above the last")
    if not all(type(v) in (int, float) and math.isfinite(v) for v in values_of(schedule)):
        raise refuse("the points' values have to be finite numbers")
    if schedule[0] == "exponential" and min(values_of(schedule)) <= 0:
        raise refuse("the values of an exponential schedule have to be above 0")


def from_decay(rate: Any, changes: Mapping[str, Any]) -> Any:
    """A learning rate under the keys that described its decay before there were schedules.

    Args:
        rate: what it was, a number or a schedule.
        changes: any of `DECAY_KEYS`; the others stay as they were.

    Raises:
        UserError: when the decay ends before it starts, or such keys cannot describe it.
    """
    initial, start, end, final = (_decay_of(rate) | changes).values()
    if initial is None:
        raise UserError("A learning rate that decays has to be given, as in learning_rate=2e-4")
    if end < start:
        raise UserError(
            f"decay_end_images = {end} lies before decay_start_images = {start}. Set both to 0 for"
            " a constant learning rate."
        )
    if end == 0:
        return initial
    first = ("step", (0, initial)) if start == end else ("linear", (start, initial))
    return (*first, (end, final))


def _decay_of(rate: Any) -> dict[str, Any]:
    """The keys that described a learning rate before there were schedules."""
    if not is_schedule(rate):
        return dict(zip(DECAY_KEYS, (rate, 0, 0, 0.0), strict=True))
    shape, (start, initial), (end, final), *others = rate
    if shape not in ("linear", "step") or others:
        raise UserError(f"The learning rate is {rate!r}: give another schedule as a whole")
    values = (initial, end if shape == "step" else start, end, final)
    return dict(zip(DECAY_KEYS, values, strict=True))
