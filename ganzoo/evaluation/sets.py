"""Sets of images by the features of a network."""

import hashlib
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from ganzoo import data, devices, files, metrics
from ganzoo import images as pictures
from ganzoo.errors import UserError
from ganzoo.evaluation.extraction import Extractor, Features
from ganzoo.latents import LatentGAN, random_of
from ganzoo.metrics import FeatureSet, Protocol
from ganzoo.styles import StyleGAN
from ganzoo.translation import ImageGAN

_VERSION = 1  # of cached features


class SetEvaluation:
    """Sets of images that a model draws, compared with real images by features of a network.

    Args:
        names: of metrics, all over one network.
        weights: the files of the network's weights.
        source: the real images.
        seed: of the choice of real images, and of random subsets.
        statistics: an .npz with `mu` and `sigma` of real images, instead of the source's.
        strategy: over whose replicas images are drawn and looked at; None for the current device.

    Raises:
        UserError: for metrics that are unknown or do not go together, and for missing files.
    """

    def __init__(
        self,
        names: Sequence[str],
        weights: Sequence[str] = (),
        source: data.Source | None = None,
        seed: int = 0,
        statistics: str | None = None,
        strategy: tf.distribute.Strategy | None = None,
    ):
        self.protocols, self.source, self.seed = [metrics.parse(n) for n in names], source, seed
        self.strategy = strategy
        networks = sorted({protocol.network for protocol in self.protocols})
        if len(networks) != 1:
            raise UserError(f"Metrics of several networks ({', '.join(networks)}): run one by one")
        self.facts = {"network": networks[0]}
        # No network serves both path lengths and sets.
        self.walks = all(protocol.kind == "ppl" for protocol in self.protocols)
        if self.walks:
            self.network = metrics.open_lpips(networks[0], weights)
        else:
            if len(weights) > 1:
                reason = f"has one file of weights, not {', '.join(weights)}"
                raise UserError(f"The network {networks[0]} {reason}")
            self.network = metrics.open_network(networks[0], *weights)
            self.extractor = Extractor(self.network, strategy)
            self.real = self._real(statistics)
        self.facts["network_fingerprint"] = self.network.fingerprint

    @devices.full_float32()
    def of_model(
        self, model: LatentGAN, seed: int = 0, truncation: float | None = None
    ) -> dict[str, float]:
        """The metrics of what a model draws, by their names.

        Args:
            model: of the source's images.
            seed: of latents, labels and noise.
            truncation: of styles; None, the usual protocol, is no truncation.

        Raises:
            UserError: when images are not finite, or the model lacks what a metric needs.
        """
        if self.walks:
            return {p.name: self._path_length(p, model, seed) for p in self.protocols}
        self._check_fits(model)
        count, options = _most(self.protocols), {}
        if truncation is not None:
            options["truncation"] = truncation
        if "noise" in model.OPTIONS:
            options["noise"] = "random"
        latents = model.draw_latents(random_of(seed), count)
        labels = self._labels(model, count, seed)
        drawn = self.extractor.of_model(model, latents, labels, seed, **options)
        asked = labels if model.num_classes else None
        return self._measured(self._collected(drawn, count, "generated"), asked)

    @devices.full_float32()
    def of_conversions(
        self, model: ImageGAN, mode: str | None, inputs: data.Source, seed: int = 0
    ) -> dict[str, float]:
        """The metrics of what a model makes of images, by their names.

        Args:
            model: that converts.
            mode: of the model; None for the usual one.
            inputs: the images to convert, of which as many are taken at random as are asked for.
            seed: of the choice, and of what is random about the mode.
        """
        count = self._require(inputs)
        chosen = np.random.default_rng(self.seed).permutation(len(inputs))[:count]

        def convert(images):
            floats = images / np.float32(127.5) - 1.0  # one by one: some look at a batch as a whole
            return np.stack(
                [pictures.to_uint8(model.convert(one, mode, seed=seed)) for one in floats]
            )

        features = self.extractor.of_source(inputs, chosen, convert)
        return self._measured(self._collected(features, count, "converted"))

    @devices.full_float32()
    def of_images(self, source: data.Source) -> dict[str, float]:
        """The metrics of images that are there already, by their names."""
        count = self._require(source)
        chosen = np.random.default_rng(self.seed).permutation(len(source))[:count]
        self._check_fits(source)
        features = self.extractor.of_source(source, chosen)
        return self._measured(self._collected(features, count, "images"))

    def _require(self, source: data.Source) -> int:
        """How many images are looked at; raises UserError unless a source has them."""
        if self.walks:
            raise UserError(
                "Path lengths are those of a model that draws, not of images: name --model=RUN_DIR"
            )
        count = _most(self.protocols)
        if len(source) < count:
            raise UserError(f"{source.name} has {len(source):,} images; {count:,} are asked for")
        return count

    def _measured(self, fake: FeatureSet, labels: np.ndarray | None = None) -> dict[str, float]:
        values = {}
        for protocol in self.protocols:
            values |= metrics.measure(protocol, self.real, fake, self.seed, labels)
        return values

    def _real(self, statistics: str | None) -> FeatureSet | None:
        """Features of the real images: all of them where a metric is `_full`, in random order."""
        comparing = [protocol for protocol in self.protocols if protocol.compares]
        if not comparing:
            return None
        if statistics is not None:
            wrong = [protocol.name for protocol in comparing if protocol.keeps]
            if wrong:
                raise UserError(f"{', '.join(wrong)}: needs real images, not their statistics")
            size = 32 if self.source is None else self.source.image_size
            known = metrics.published(statistics, self.network, size)
            self.facts["statistics"] = files.hash_of(Path(statistics))
            return known
        source = self.source
        if source is None:
            raise UserError("Real images are needed to compare with; add --dataset=NAME")
        self.facts |= {"dataset": source.name, "data_fingerprint": source.fingerprint}
        self.facts |= {"image_size": source.image_size}
        asked = _most(protocol for protocol in comparing if not protocol.full)
        if asked > len(source):
            raise UserError(
                f"{source.name} has {len(source):,} images; {asked:,} are asked for. Take a metric"
                " with _full, which takes all of them, or fewer images."
            )
        sizes = [len(source) if protocol.full else protocol.count for protocol in comparing]
        count, sized = max(sizes), list(zip(comparing, sizes, strict=True))
        keep = max((size for p, size in sized if p.keeps or size != count), default=0)
        self.facts["real_images"] = count
        chosen = np.random.default_rng(self.seed).permutation(len(source))[:count]
        return _cached(
            [
                source.fingerprint,
                self.network.name,
                self.network.fingerprint,
                self.seed,
                count,
                keep,
            ],
            lambda: self._collected(self.extractor.of_source(source, chosen), count, "real", keep),
        )

    def _check_fits(self, images: LatentGAN | data.Source) -> None:
        """Refuses other sizes or channels than the source's; published statistics have none."""
        if self.source is None or self.real is None or self.real.given is not None:
            return
        sides = [(side.image_size, side.channels) for side in (images, self.source)]
        if sides[0] != sides[1]:
            reason = " and ".join(
                f"{size} pixels and {channels} channels" for size, channels in sides
            )
            raise UserError(
                f"Images of {reason} are not compared: open the real ones ({self.source.name}) in"
                " the size and with the channels of the generated ones"
            )

    def _labels(self, model: LatentGAN, count: int, seed: int) -> np.ndarray:
        """As frequent as those of the real images; 0 without classes."""
        if not model.num_classes:
            return np.zeros([count], np.int32)
        if self.source is None:
            raise UserError("The model has classes: name data with labels, --dataset=NAME")
        if self.source.num_classes != model.num_classes:
            raise UserError(
                f"The model has {model.num_classes} classes, and {self.source.name}"
                f" {self.source.num_classes}: name the data that it was trained on"
            )
        chosen = np.random.default_rng(seed).integers(0, len(self.source), count)
        return self.source.read(chosen)["label"]

    def _path_length(self, protocol: Protocol, model: LatentGAN, seed: int) -> float:
        if not isinstance(model, StyleGAN):
            raise UserError(f"{protocol.name}: {type(model).__name__} has no styles to walk along")
        if model.compute_dtype != "float32":
            raise UserError(
                f"{protocol.name}: steps of 1e-4 get lost in {model.compute_dtype}; measure the"
                " saved model with python -m ganzoo.evaluate"
            )
        return metrics.path_length(
            metrics.path_distances(
                model,
                self.network,
                protocol.count,
                protocol.space,
                protocol.sampling,
                protocol.crop,
                seed,
                self.strategy,
            )
        )

    def _collected(self, features: Features, count: int, what: str, keep: int | None = None):
        if keep is None:
            single = any(protocol.keeps for protocol in self.protocols)
            several = len({protocol.count for protocol in self.protocols}) > 1
            keep = count if single or several else 0
        with tqdm(total=count, unit=f" {what}", disable=not sys.stderr.isatty()) as bar:

            def counted():
                for batch in features:
                    yield batch
                    bar.update(len(batch[0]))

            return FeatureSet.of(counted(), keep)


def _cached(key: list, compute) -> FeatureSet:
    """Features of real images, computed once for each content, network and choice."""
    digest = hashlib.sha256(json.dumps([_VERSION, *key]).encode()).hexdigest()
    path = files.home() / "features" / f"{digest}.npz"
    if path.exists():
        advice = "Remove it: what it held is then computed again."
        with files.explain_damage(path, advice), np.load(path) as stored:
            return FeatureSet.from_arrays(stored)
    files.make_folder(path.parent, "set GANZOO_HOME to another folder")
    found = compute()
    files.write_atomically(path, lambda target: np.savez(target, **found.to_arrays()))
    return found


def _most(protocols: Iterable[Protocol]) -> int:
    return max((protocol.count for protocol in protocols), default=0)
