"""Features of sets of images.

A distance of features means something only together with the name of the network: only that of
`inception-2015-12-05` is the FID of the literature.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

from ganzoo import arrays, files
from ganzoo.errors import UserError
from ganzoo.metrics.distributions import Moments

_ROWS = 1024  # of features in a product of moments: few large products take less time than many


@dataclasses.dataclass(frozen=True, eq=False)
class FeatureNetwork:
    """A network with a name.

    Attributes:
        name: as metrics carry it.
        fingerprint: SHA-256 of its weights' file, hexadecimal.
        compute: from images `[N, H, W, 3]`, uint8, to features `[N, D]` and probabilities of
            classes `[N, K]`; None for the latter where it has none.
    """

    name: str
    fingerprint: str
    compute: Callable

    def __call__(self, images) -> tuple[tf.Tensor, tf.Tensor | None]:
        """Of images `[N, H, W, C]`, uint8, grey or RGB: features and probabilities, float32."""
        images = tf.convert_to_tensor(images)
        if images.shape[-1] == 1:
            images = tf.tile(images, [1, 1, 1, 3])
        return self.compute(images)


class FeatureSet:
    """The features of a set of images.

    Attributes:
        moments: of all features.
        features: of the first images, `[n, D]`, float32; None where none were kept.
        probabilities: of their classes, `[n, K]`; None where the network has none.
        given: mean and covariance from elsewhere, instead of moments.
    """

    def __init__(self, moments=None, features=None, probabilities=None, given=None):
        self.moments, self.given = moments, given
        self.features, self.probabilities = features, probabilities

    @classmethod
    def of(cls, batches: Iterable, keep: int = 0) -> FeatureSet:
        """Of batches of features `[N, D]` and probabilities `[N, K]` or None, as networks give.

        Those of the first `keep` images are kept.

        Raises:
            UserError: when a feature is not finite.
        """
        moments, waiting, kept, classes, left = Moments(), [], [], [], keep
        for features, probabilities in batches:
            waiting.append(features)
            if sum(map(len, waiting)) >= _ROWS:
                moments.add(tf.concat(waiting, axis=0))
                waiting.clear()
            if left > 0:
                kept.append(np.asarray(features[:left]))
                classes.append(None if probabilities is None else np.asarray(probabilities[:left]))
                left -= len(features)
        if waiting:
            moments.add(tf.concat(waiting, axis=0))
        if not np.isfinite(moments.sum).all():
            raise UserError("The network gives features that are not finite numbers")
        if not kept:
            return cls(moments)
        has_classes = classes[0] is not None
        return cls(moments, np.concatenate(kept), np.concatenate(classes) if has_classes else None)

    @classmethod
    def from_arrays(cls, values: Mapping[str, np.ndarray]) -> FeatureSet:
        """What `to_arrays` gave."""
        moments = Moments(int(values["count"]), values["sum"], values["products"])
        return cls(moments, values.get("features"), values.get("probabilities"))

    def to_arrays(self) -> dict[str, np.ndarray]:
        """All there is, to be saved."""
        moments, kept = self.moments, {"features": self.features}
        kept["probabilities"] = self.probabilities
        arrays = {name: array for name, array in kept.items() if array is not None}
        return arrays | {
            "count": np.array(moments.count),
            "sum": moments.sum,
            "products": moments.products,
        }

    @property
    def count(self) -> int | None:
        """Images seen; None when only their statistics are known."""
        return None if self.moments is None else self.moments.count

    def first(self, count: int) -> FeatureSet:
        """The set of the first images; raises ValueError where their features were not kept."""
        if count == self.count:
            return self
        if self.features is None or len(self.features) < count:
            raise ValueError(f"the features of {count} images are needed, but were not kept")
        moments = Moments()
        moments.add(self.features[:count])
        classes = None if self.probabilities is None else self.probabilities[:count]
        return FeatureSet(moments, self.features[:count], classes)

    def statistics(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean `[D]` and covariance `[D, D]`."""
        return self.given or (self.moments.mean(), self.moments.covariance())


def published(path: str | Path, network: FeatureNetwork, image_size: int = 32) -> FeatureSet:
    """Statistics of real images from an .npz with `mu` `[D]` and `sigma` `[D, D]`.

    Args:
        path: of the file.
        network: whose features they are.
        image_size: of images that the network takes, in pixels.

    Raises:
        UserError: when the file is missing or damaged, or is of another network.
    """
    path = files.expanded(path)
    try:
        stored = arrays.read(path)
        mean, covariance = (stored[name].astype(np.float64) for name in ("mu", "sigma"))
    except (ValueError, KeyError) as error:
        raise UserError(
            f"{path} has no statistics ({error}); expected an .npz with arrays mu and sigma"
        ) from error
    width = network(np.zeros((1, image_size, image_size, 3), np.uint8))[0].shape[1]
    if mean.shape != (width,) or covariance.shape != (width, width):
        raise UserError(
            f"{path} has statistics of shapes {mean.shape} and {covariance.shape}; those of"
            f" {network.name} are {(width,)} and {(width, width)}"
        )
    return FeatureSet(given=(mean, covariance))
