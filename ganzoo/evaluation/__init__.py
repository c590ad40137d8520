"""Measures models, while they are trained and afterwards.

An evaluation is opened with its data and its network, which finds mistakes early, and is then
called with a model, as often as wanted.
"""

from collections.abc import Iterable

import tensorflow as tf
from ml_collections import ConfigDict

from ganzoo import data, metrics
from ganzoo.engine import GAN
from ganzoo.errors import UserError
from ganzoo.evaluation.probing import ErrorEvaluation, ProbeEvaluation
from ganzoo.evaluation.reconstruction import ReconstructionEvaluation
from ganzoo.evaluation.sets import SetEvaluation
from ganzoo.metrics import RECONSTRUCTION
from ganzoo.translation import ImageGAN


def of_config(
    config: ConfigDict, model: GAN, stream: data.ExampleStream, strategy: tf.distribute.Strategy
) -> list:
    """The evaluations that `config.evaluation` asks for, to be made during training.

    Args:
        config: of the training.
        model: in training.
        stream: the data of the training, by which is measured unless the config names others.
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
    if not model.mode().draws:
        where = {"data_dir": config.data.data_dir, "split": options.split}
        where["data_direction"] = config.data.get("direction", "a2b")
        return [ReconstructionEvaluation(names, dataset, weights, **where)]

    def opened(split, **changes):
        own = data.source_options(config.data)
        own |= {"dataset": dataset, "split": split, **changes}
        return data.open_source(image_size=model.image_size, channels=model.channels, **own)

    probes = [name for name in names if metrics.parse(name).kind == "probe"]
    sets = [name for name in names if name not in (*probes, metrics.TEST_ERROR)]
    found = []
    if sets:
        other = options.dataset or options.split
        source = opened(options.split or config.data.split) if other else stream.source
        workers = isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
        strategy = None if workers else strategy
        found.append(SetEvaluation(sets, weights, source, strategy=strategy))
    if probes:
        split = config.data.split
        found.append(
            ProbeEvaluation(probes, opened(split, labels=True), opened("test", labels=True))
        )
    if metrics.TEST_ERROR in names:
        found.append(ErrorEvaluation(opened(options.split or "test", labels=True)))
    return found


def measured(evaluations: Iterable, model: GAN) -> dict[str, float]:
    """The values of all evaluations of a model."""
    return {name: v for evaluation in evaluations for name, v in evaluation.of_model(model).items()}


def is_reconstruction(name: str) -> bool:
    """Whether a metric compares images one by one with what they should be."""
    return name in RECONSTRUCTION or name.startswith("lpips-")


def higher_is_better(name: str) -> bool:
    """Whether a larger value of a metric is better."""
    if is_reconstruction(name):
        return name in RECONSTRUCTION
    return metrics.parse(name).higher_is_better
