"""Measures models, while they are trained and afterwards.

An evaluation is opened with its data and its network, which finds mistakes early, and is then
called with a model, as often as wanted.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from ml_collections import ConfigDict
from tqdm import tqdm

from ganzoo import bicubic, data, devices, files, metrics
from ganzoo import images as pictures
from ganzoo.data import references
from ganzoo.engine import GAN
from ganzoo.errors import UserError, unknown
from ganzoo.latents import BATCH_SIZE, LatentGAN, random_of
from ganzoo.metrics import RECONSTRUCTION, FeatureNetwork, FeatureSet, Protocol
from ganzoo.styles import StyleGAN
from ganzoo.translation import TILE, ImageGAN

_VERSION = 1  # of cached features


class SetEvaluation:
    """Sets of images that a model draws, compared with real images by features of a network.

    Args:
        names: of metrics, all over one network.
        weights: the files of the network's weights.
        source: the real images.
        seed: of the choice of real images, and of random subsets.
        statistics: an .npz with `mu` and `sigma` of real images, instead of the source's.
        strategy: over whose replicas features are computed; None for the current device.

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
        networks = sorted({protocol.network for protocol in self.protocols})
        if len(networks) != 1:
            raise UserError(f"Metrics of several networks ({', '.join(networks)}): run one by one")
        self.facts = {"network": networks[0]}
        if all(protocol.kind == "ppl" for protocol in self.protocols):
            self.network = metrics.open_lpips(networks[0], weights)
        else:
            self.network = _open_network(networks[0], weights, strategy)
            self.real = self._real(statistics)
        self.facts["network_fingerprint"] = self.network.fingerprint

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
        values = {}
        for protocol in self.protocols:
            if protocol.kind == "ppl":
                values[protocol.name] = self._path_length(protocol, model, seed)
        if count := _most(p for p in self.protocols if p.kind != "ppl"):
            fake = self._features(self._drawn(model, count, seed, truncation), count, "generated")
            values |= self._measured(fake)
        return values

    def of_images(self, source: data.Source) -> dict[str, float]:
        """The metrics of images that are there already, by their names."""
        count = _most(self.protocols)
        if len(source) < count:
            raise UserError(f"{source.name} has {len(source):,} images; {count:,} are asked for")
        chosen = np.random.default_rng(self.seed).permutation(len(source))[:count]
        return self._measured(self._features(_read(source, chosen), count, "images"))

    def _measured(self, fake: FeatureSet) -> dict[str, float]:
        values = {}
        for protocol in self.protocols:
            if protocol.kind != "ppl":
                values |= metrics.measure(protocol, self.real, fake, self.seed)
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
            self.facts["statistics"] = hashlib.sha256(Path(statistics).read_bytes()).hexdigest()
            return metrics.published(statistics, self.network)
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
            lambda: self._features(_read(source, chosen), count, "real", keep),
        )

    def _drawn(self, model: LatentGAN, count: int, seed: int, truncation) -> Iterator[tf.Tensor]:
        """Images with labels as frequent as those of the real ones, and random noise."""
        latents = model.draw_latents(random_of(seed), count)
        labels = None
        if model.num_classes:
            if self.source is None:
                raise UserError("The model has classes: name data with labels, --dataset=NAME")
            chosen = np.random.default_rng(seed).integers(0, len(self.source), count)
            labels = self.source.read(chosen)[1]
        options = {} if truncation is None else {"truncation": truncation}
        if "noise" in model.OPTIONS:
            options["noise"] = "random"
        return map(_pixels, model.decode_batches(latents, labels, seed, **options))

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
            )
        )

    def _features(self, batches: Iterable, count: int, what: str, keep: int | None = None):
        if keep is None:
            single = any(protocol.keeps for protocol in self.protocols)
            several = len({protocol.count for protocol in self.protocols}) > 1
            keep = count if single or several else 0
        with tqdm(total=count, unit=f" {what}", disable=not sys.stderr.isatty()) as bar:

            def counted():
                for batch in batches:
                    yield batch
                    bar.update(len(batch))

            return FeatureSet.of(counted(), self.network, keep)


class ProbeEvaluation:
    """How well a linear classifier tells classes by a discriminator's features.

    Args:
        names: of metrics, such as "probe10k": fitted to 10,000 images.
        train: images with labels, the first of which are taken.
        test: all of which are told.

    Raises:
        UserError: for too few images, or images without labels.
    """

    def __init__(self, names: Sequence[str], train: data.Source, test: data.Source):
        self.counts = {name: metrics.parse(name).count for name in names}
        self.train, self.test = train, test
        most = max(self.counts.values())
        if not train.num_classes or most > len(train):
            raise UserError(
                f"{train.name} has {len(train):,} images of {train.num_classes} classes; the probe"
                f" needs labels of {most:,}"
            )
        self.facts = {"dataset": train.name, "data_fingerprint": train.fingerprint}
        self.facts |= {"test_fingerprint": test.fingerprint, "image_size": train.image_size}

    def of_model(self, model: GAN) -> dict[str, float]:
        """Accuracies from 0 to 1 by the metrics' names; raises UserError without features."""
        represent = tf.function(model.represent, autograph=False)

        def features(source, count):
            batches = _read(source, np.arange(count))
            found = [represent(batch / np.float32(127.5) - 1.0) for batch in batches]
            return np.concatenate(found), source.read(np.arange(count))[1]

        train = features(self.train, max(self.counts.values()))
        test = features(self.test, len(self.test))
        return {
            name: metrics.probe_accuracy(*(part[:count] for part in train), *test)
            for name, count in self.counts.items()
        }


class ReconstructionEvaluation:
    """Images that a model converts, beside what they should have become.

    A super-resolution model gets images reduced by bicubic interpolation; a translator gets domain
    a of `solid2striped` or of `paired:PATH`.

    Args:
        names: of metrics, keys of `RECONSTRUCTION` or an LPIPS such as "lpips-vgg".
        dataset: "solid2striped", "paired:PATH", or for super-resolution any images.
        weights: the files of the LPIPS.
        data_dir: where TFDS keeps its data sets.
        split: of the data; None for "train" in super-resolution, else "test".
        direction: which way to convert; None for the usual one.
        border: pixels cut off on each side first; None for the scale of super-resolution.
        num: how many images at most; None for all.
        tile: largest side that is converted at once, in pixels.

    Raises:
        UserError: for unknown metrics.
    """

    def __init__(
        self,
        names: Sequence[str],
        dataset: str,
        weights: Sequence[str] = (),
        data_dir: str | None = None,
        split: str | None = None,
        direction: str | None = None,
        border: int | None = None,
        num: int | None = None,
        tile: int = TILE,
    ):
        self.metrics = {name: _reconstruction(name, weights) for name in names}
        self.dataset, self.data_dir, self.split = dataset, data_dir, split
        self.direction, self.border, self.num, self.tile = direction, border, num, tile
        self.facts = {"dataset": dataset}

    def of_model(self, model: ImageGAN) -> dict[str, float]:
        """Means over images by the metrics' names; with "trivial/" those of the trivial answer.

        That is bicubic enlargement, or the input itself.
        """
        enlarges = model.scale > 1
        border = self.border if self.border is not None else (model.scale if enlarges else 0)
        split = self.split or ("train" if model.DATA == "super_resolution" else "test")
        pairs = itertools.islice(self._pairs(model, split), self.num)
        rows = [self._measured(model, *pair, border) for pair in pairs]
        if not rows:
            raise UserError(f"{self.dataset} holds no image")
        self.facts |= {"split": split, "direction": self.direction or model.DIRECTIONS[0]}
        self.facts |= {"images": len(rows), "border": border}
        names = [f"{kind}{name}" for name in self.metrics for kind in ("", "trivial/")]
        return dict(zip(names, np.mean(rows, axis=0).tolist(), strict=True))

    def _pairs(self, model: ImageGAN, split: str):
        """Inputs and their known results, uint8."""
        if model.DATA == "super_resolution":
            options = {"scale": model.scale, "channels": model.channels}
            options |= {"data_dir": self.data_dir, "split": split}
            return references.open_reductions(self.dataset, **options)
        options = {"image_size": model.image_size, "channels": model.channels}
        pairs = references.open_translations(self.dataset, split=split, **options)
        backwards = self.direction == model.DIRECTIONS[1]
        return ((b, a) if backwards else (a, b) for a, b in pairs)

    def _measured(self, model: ImageGAN, small, reference, border: int) -> list[float]:
        converted = model.convert(small / np.float32(127.5) - 1.0, self.direction, self.tile)
        answers = pictures.to_uint8(converted), bicubic.enlarge(small, model.scale)
        return [
            metric(answer, reference, border)
            for metric in self.metrics.values()
            for answer in answers
        ]


def of_config(
    config: ConfigDict, model: GAN, line: data.Line, strategy: tf.distribute.Strategy
) -> list:
    """The evaluations that `config.evaluation` asks for, to be made during training.

    Args:
        config: of the training.
        model: in training.
        line: the data of the training, by which is measured unless the config names others.
        strategy: of the training.

    Raises:
        UserError: as the evaluations raise it, or when no metric is named.
    """
    options = config.evaluation
    if not options.metrics:
        raise UserError(
            "config.evaluate_images is set: say what to measure, as in"
            " --config.evaluation.metrics=fd10k_lenet-mnist"
        )
    names = options.metrics.split(",")
    weights = options.weights.split(",") if options.weights else []
    dataset = options.dataset or config.data.dataset
    if isinstance(model, ImageGAN):
        where = {"data_dir": config.data.data_dir, "split": options.split}
        return [ReconstructionEvaluation(names, dataset, weights, **where)]

    def opened(split, **changes):
        own = {key: value for key, value in config.data.items() if key != "flip"}
        own |= {"dataset": dataset, "split": split, **changes}
        return data.open_source(image_size=model.image_size, channels=model.channels, **own)

    probes = [name for name in names if metrics.parse(name).kind == "probe"]
    sets = [name for name in names if name not in probes]
    found = []
    if sets:
        other = options.dataset or options.split
        source = opened(options.split or config.data.split) if other else line.source
        workers = isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
        strategy = None if workers else strategy
        found.append(SetEvaluation(sets, weights, source, strategy=strategy))
    if probes:
        split = config.data.split
        found.append(
            ProbeEvaluation(probes, opened(split, labels=True), opened("test", labels=True))
        )
    return found


def measured(evaluations: Iterable, model: GAN) -> dict[str, float]:
    """The values of all evaluations of a model."""
    return {name: v for evaluation in evaluations for name, v in evaluation.of_model(model).items()}


def higher_is_better(name: str) -> bool:
    """Whether a larger value of a metric is better."""
    if name in RECONSTRUCTION:
        return True
    return not name.startswith("lpips-") and metrics.parse(name).higher_is_better


def _open_network(name: str, weights, strategy) -> FeatureNetwork:
    if len(weights) > 1:
        raise UserError(f"The network {name} has one file of weights, not {', '.join(weights)}")
    network = metrics.open_network(name, *weights)
    if strategy is None or strategy.num_replicas_in_sync == 1:
        return network
    compute = devices.spread(strategy, network.compute)
    return FeatureNetwork(network.name, network.fingerprint, compute)


def _reconstruction(name: str, weights: Sequence[str]):
    """A metric of two images `[H, W, C]`, uint8, and of the border that is cut off."""
    if not name.startswith("lpips-"):
        if name not in RECONSTRUCTION:
            raise unknown("metric", name, [*RECONSTRUCTION, "lpips-alex", "lpips-vgg"])
        return RECONSTRUCTION[name]
    network = metrics.open_lpips(name, weights)

    def distance(image, reference, border):
        inside = slice(border, -border or None)
        pair = (x[None, inside, inside] / np.float32(127.5) - 1.0 for x in (image, reference))
        return float(network(*pair)[0])

    return distance


def _cached(key: list, compute) -> FeatureSet:
    """Features of real images, computed once for each content, network and choice."""
    digest = hashlib.sha256(json.dumps([_VERSION, *key]).encode()).hexdigest()
    path = files.home() / "features" / f"{digest}.npz"
    if path.exists():
        with np.load(path) as stored:
            return FeatureSet.from_arrays(stored)
    found = compute()
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_atomically(path, lambda target: np.savez(target, **found.to_arrays()))
    return found


def _pixels(images: tf.Tensor) -> tf.Tensor:
    """As `images.to_uint8` does it, on the device."""
    if not bool(tf.reduce_all(tf.math.is_finite(images))):
        raise UserError("The model makes images that are not finite numbers: its training failed")
    return tf.cast(tf.clip_by_value(images * 127.5 + 128.0, 0.0, 255.0), tf.uint8)


def _read(source: data.Source, indices: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(indices), BATCH_SIZE):
        yield source.read(indices[start : start + BATCH_SIZE])[0]


def _most(protocols: Iterable[Protocol]) -> int:
    return max((protocol.count for protocol in protocols), default=0)
