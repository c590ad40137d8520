"""Metrics of sets of images by names that say how they are measured: `fid50k_full`."""

import dataclasses
import re

import numpy as np

from ganzoo.errors import UserError
from ganzoo.metrics.distributions import (
    frechet_distance,
    inception_score,
    kernel_distance,
    mode_coverage,
)
from ganzoo.metrics.features import FeatureSet
from ganzoo.metrics.neighbors import density_coverage, precision_recall
from ganzoo.metrics.networks import CLEAN, INCEPTION

_SETS = re.compile(r"(clean-)?(fid|kid|is|fd|kd|pr|dc|modes|accuracy)(\d+)(k?)(_full)?(?:_(.+))?")
_PATHS = re.compile(r"(ppl2?)_([zw])(full|end)(\d+)(k?)_(.+)")
_PROBE = re.compile(r"probe(\d+)(k?)")
TEST_ERROR = "test_error"
_OF_INCEPTION = {"fid": "fd", "kid": "kd"}
_NAMED = ("fd", "kd", "modes", "accuracy")  # of another network, whose name they must say
_GRAMMAR = (
    "fid50k_full, fid50k, kid50k, is50k, pr50k (precision and recall), dc50k (density and coverage)"
    " of Inception, or clean-fid50k; with the name of another network fd50k_full_squeezenet,"
    " kd10k_keras, pr10k_keras, modes10k_lenet-mnist (classes that are covered),"
    " accuracy10k_lenet-mnist (samples that are recognized as the class asked for);"
    " ppl2_wend50k_lpips-vgg (path length); probe10k (linear probe of the discriminator);"
    " test_error (of a model that classifies)"
)

FEWEST = 10  # as many as the Inception score has splits


@dataclasses.dataclass(frozen=True)
class Protocol:
    """How a metric is measured.

    Attributes:
        name: of the metric, which says all of the rest.
        kind: "fd", "kd", "is", "pr", "dc", "modes", "accuracy", "ppl", "probe" or "error".
        count: generated images; pairs of them for "ppl"; real ones for "probe"; 0 for "error".
        network: name of the network that images are looked at by; "discriminator" for "probe" and
            "error".
        full: whether all real images are taken; else as many as are generated, at random.
        space: of the steps of "ppl", "z" or "w".
        sampling: where on a path such a step is taken, "full" for anywhere, "end" for its begin.
        crop: whether "ppl" looks at the middle of a face only.
    """

    name: str
    kind: str
    count: int
    network: str
    full: bool = False
    space: str = ""
    sampling: str = ""
    crop: bool = False

    @property
    def keeps(self) -> bool:
        """Whether single features are needed, not only their mean and covariance."""
        return self.kind != "fd"

    @property
    def compares(self) -> bool:
        """Whether real images are needed."""
        return self.kind not in ("is", "ppl", "accuracy")

    @property
    def higher_is_better(self) -> bool:
        """Of the first value that `measure` gives."""
        return self.kind in ("is", "pr", "dc", "modes", "probe", "accuracy")


def parse(name: str) -> Protocol:
    """The protocol that a metric's name stands for; raises UserError for others."""
    if match := _PATHS.fullmatch(name):
        kind, space, sampling, number, thousands, network = match.groups()
        count = _count(name, number, thousands)
        crop = kind == "ppl"
        return Protocol(name, "ppl", count, network, space=space, sampling=sampling, crop=crop)
    if match := _PROBE.fullmatch(name):
        return Protocol(name, "probe", _count(name, *match.groups()), "discriminator")
    if name == TEST_ERROR:
        return Protocol(name, "error", 0, "discriminator")
    match = _SETS.fullmatch(name)
    if match is None:
        raise UserError(f"Unknown metric {name!r}; expected {_GRAMMAR}")
    clean, kind, number, thousands, full, network = match.groups()
    if kind in _OF_INCEPTION and network:
        raise UserError(f"Metric {name!r}: {kind} is that of Inception alone; expected {_GRAMMAR}")
    if kind in _NAMED and not network:
        raise UserError(
            f"Metric {name!r}: {kind} needs the name of its network; expected {_GRAMMAR}"
        )
    if clean and network:
        raise UserError(f"Metric {name!r}: clean- is of Inception; expected {_GRAMMAR}")
    network = network or (CLEAN if clean else INCEPTION)
    count = _count(name, number, thousands)
    return Protocol(name, _OF_INCEPTION.get(kind, kind), count, network, full=bool(full))


def _count(name: str, number: str, thousands: str) -> int:
    count = int(number) * (1000 if thousands else 1)
    if count < FEWEST:
        raise UserError(f"Metric {name!r}: of {count}; expected {FEWEST} or more")
    return count


def measure(
    protocol: Protocol,
    real: FeatureSet | None,
    fake: FeatureSet,
    seed: int = 0,
    labels: np.ndarray | None = None,
) -> dict[str, float]:
    """The values of a metric of two sets by their names; two for some.

    Args:
        protocol: what to measure; neither "ppl" nor "probe" nor "error".
        real: features of real images; of at least `count` unless the protocol is full.
        fake: of generated ones, at least `count`; with `probabilities` for "is", "modes" and
            "accuracy".
        seed: of random subsets.
        labels: classes that the generated ones were asked for, `[N]`; for "accuracy".

    Raises:
        UserError: for a network that has no classes where they are needed.
    """
    fake = fake.first(protocol.count)
    if protocol.compares and not protocol.full and real.given is None:
        real = real.first(protocol.count)
    if protocol.kind in ("is", "modes", "accuracy") and fake.probabilities is None:
        raise UserError(f"Metric {protocol.name!r}: {protocol.network} has no classes")
    if protocol.kind == "accuracy":
        return {protocol.name: _accuracy(protocol, fake.probabilities, labels)}
    names, compute = _MEASURES[protocol.kind]
    values = compute(real, fake, seed)
    tail = re.sub(r"^(clean-)?[a-z]+", "", protocol.name)
    clean = "clean-" if protocol.network == CLEAN else ""
    own = protocol.name.removesuffix(tail).removeprefix(clean)
    return {f"{clean}{name or own}{tail}": value for name, value in zip(names, values, strict=True)}


def _accuracy(protocol: Protocol, probabilities: np.ndarray, labels: np.ndarray | None) -> float:
    """The share of images that a classifier takes for the class that they were asked for."""
    if labels is None or labels.max() >= probabilities.shape[1]:
        raise UserError(
            f"Metric {protocol.name!r}: {protocol.network} has {probabilities.shape[1]} classes,"
            " which are not those of the model"
        )
    return float(np.mean(probabilities.argmax(axis=1) == labels[: len(probabilities)]))


# Of each kind the names of its values, "" for the metric's own, and how they are computed of real
# features `a`, generated ones `b`, and a seed.
_MEASURES = {
    "fd": ([""], lambda a, b, seed: [frechet_distance(*a.statistics(), *b.statistics())]),
    "kd": ([""], lambda a, b, seed: [kernel_distance(a.features, b.features, seed=seed)]),
    "is": (["", "is_deviation"], lambda a, b, _: inception_score(b.probabilities)),
    "pr": (["precision", "recall"], lambda a, b, _: precision_recall(a.features, b.features)),
    "dc": (["density", "coverage"], lambda a, b, _: density_coverage(a.features, b.features)),
    "modes": (["", "modes_kl"], lambda a, b, _: mode_coverage(a.probabilities, b.probabilities)),
}
