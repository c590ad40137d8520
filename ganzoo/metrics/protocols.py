"""Metrics of sets of images by names that say how they are measured: `fid50k_full`."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable

import numpy as np

from ganzoo.errors import UserError
from ganzoo.metrics.distributions import (
    Moments,
    density_coverage,
    frechet_distance,
    inception_score,
    kernel_distance,
    precision_recall,
)
from ganzoo.metrics.features import INCEPTION, FeatureNetwork

_NAME = re.compile(r"(fid|kid|is|fd|kd|pr|dc)(\d+)(k?)(_full)?(?:_(.+))?")
_GRAMMAR = (
    "fid50k_full, fid50k, kid50k, is50k (of Inception), or with the name of another network"
    " fd50k_full_squeezenet, kd50k_keras, pr10k_keras (precision and recall), dc10k_keras (density"
    " and coverage)"
)

FEWEST = 10  # images, one for each split of the Inception score


@dataclasses.dataclass(frozen=True)
class Protocol:
    """How a metric is measured.

    Attributes:
        name: of the metric, which says all of the rest.
        kind: "fd", "kd", "is", "pr" or "dc".
        count: generated images.
        full: whether all real images are taken; else as many as are generated, at random.
        network: name of the feature network.
    """

    name: str
    kind: str
    count: int
    full: bool
    network: str


def parse(name: str) -> Protocol:
    """The protocol that a metric's name stands for; raises UserError for others."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise UserError(f"Unknown metric {name!r}; expected {_GRAMMAR}")
    kind, number, thousands, full, network = match.groups()
    of_inception = {"fid": "fd", "kid": "kd", "is": "is"}
    if (kind in of_inception) == (network is not None):
        whose = "is that of Inception alone" if network else "needs the name of its network"
        raise UserError(f"Metric {name!r}: {kind} {whose}; expected {_GRAMMAR}")
    count = int(number) * (1000 if thousands else 1)
    if count < FEWEST:
        raise UserError(f"Metric {name!r}: of {count} images; expected {FEWEST} or more")
    return Protocol(name, of_inception.get(kind, kind), count, bool(full), network or INCEPTION)


class FeatureSet:
    """The features of a set of images.

    Attributes:
        moments: of all features.
        features: `[N, D]`, float32; None where they were not kept.
        probabilities: `[N, K]`, likewise.
    """

    def __init__(self):
        self.moments, self.features, self.probabilities = Moments(), None, None

    @classmethod
    def of(cls, batches: Iterable[np.ndarray], network: FeatureNetwork, keep: bool) -> FeatureSet:
        """The features of batches `[N, H, W, C]`, uint8.

        Raises:
            UserError: when a feature is not finite.
        """
        found, kept, classes = cls(), [], []
        for batch in batches:
            features, probabilities = network(batch)
            if not np.isfinite(features).all():
                raise UserError(f"{network.name} gives features that are not finite numbers")
            found.moments.add(features)
            if keep:
                kept.append(features)
                classes.append(probabilities)
        if kept:
            found.features = np.concatenate(kept)
            has_classes = classes[0] is not None
            found.probabilities = np.concatenate(classes) if has_classes else None
        return found


def measure(
    protocol: Protocol, real: FeatureSet, fake: FeatureSet, seed: int = 0
) -> dict[str, float]:
    """The values of a metric by their names; two for some.

    Args:
        protocol: what to measure.
        real: features of real images, with `features` kept for all kinds but "fd".
        fake: likewise of generated ones; with `probabilities` for "is".
        seed: of random subsets.
    """
    tail = protocol.name.removeprefix(protocol.kind)
    if protocol.kind == "fd":
        pairs = ((s.moments.mean(), s.moments.covariance()) for s in (real, fake))
        first, second = pairs
        return {protocol.name: frechet_distance(*first, *second)}
    if protocol.kind == "kd":
        value = kernel_distance(real.features, fake.features, seed=seed)
        return {protocol.name: value}
    if protocol.kind == "is":
        mean, deviation = inception_score(fake.probabilities)
        return {protocol.name: mean, f"{protocol.name}_deviation": deviation}
    if protocol.kind == "pr":
        values = precision_recall(real.features, fake.features)
        return dict(zip((f"precision{tail}", f"recall{tail}"), values, strict=True))
    values = density_coverage(real.features, fake.features)
    return dict(zip((f"density{tail}", f"coverage{tail}"), values, strict=True))
