"""What a discriminator forgets while its task changes, with and without the rotation loss.

Chen et al. 2019, https://arxiv.org/abs/1811.11212, section 2 and figure 2: a classifier is to tell
one class from all others, for some steps, then the next class, and after the last the first again.
What it does not know any more when a task returns, it has forgotten.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from tqdm import tqdm

from ganzoo import data, metrics
from ganzoo.augment.rotation import NUM_ROTATIONS, rotation_batch_split
from ganzoo.engine import GAN
from ganzoo.errors import UserError
from ganzoo.evaluation.probing import features_of
from ganzoo.layers import power_iteration

TURNS = 2  # through all classes
BATCH_SIZE = 64  # images, half of them of the class
NUM_TRAIN, NUM_TEST, NUM_PROBE = 50_000, 2_000, 2_000  # the first images, at most
ADAM = {"learning_rate": 2e-4, "beta_1": 0.0, "beta_2": 0.9}  # as discriminators are trained


class OneVsAllEvaluation:
    """The one-vs-all sequence of classes, learned by discriminators with fresh weights.

    Unlike in the paper, batches hold as many images of the class as of all others, and accuracy is
    the mean of the class's and the others', so that 0.5 is chance.

    Args:
        names: of metrics: "onevsall1k" trains 1,000 steps for each class, "onevsall1k_rotation"
            also by the rotation loss on the same images, of the weight 1.
        train: images with labels.
        test: likewise.

    Attributes:
        records: of each metric, what `sequence` gave.

    Raises:
        UserError: for images without labels, or with different ones.
    """

    def __init__(self, names: Sequence[str], train: data.Source, test: data.Source):
        self.protocols = [metrics.parse(name) for name in names]
        self.train, self.test, self.records = train, test, {}
        if train.num_classes < 2 or train.num_classes != test.num_classes:
            raise UserError(
                f"{train.name} has {train.num_classes} classes to learn and {test.num_classes} to"
                f" tell; {names[0]} needs the same two or more"
            )
        self.facts = {"dataset": train.name, "data_fingerprint": train.fingerprint}
        self.facts |= {"test_fingerprint": test.fingerprint, "image_size": train.image_size}

    def of_model(self, model: GAN, seed: int = 0) -> dict[str, float]:
        """Accuracies from 0 to 1 by the metrics' names, all of the second turn.

        "onevsall" is of a class just learned, "onevsall_kept" of a class just before it is learned
        again, "onevsall_probe" of a linear probe of all classes at the end.

        Args:
            model: whose discriminator is made anew, by its arguments.
            seed: of weights and batches.
        """
        values = {}
        for protocol in self.protocols:
            records = list(self._watched(model, protocol, seed))
            self.records[protocol.name] = records
            second = range(len(records) // TURNS, len(records))
            learned = [records[i]["accuracies"][records[i]["task"]] for i in second]
            kept = [records[i - 1]["accuracies"][records[i]["task"]] for i in second]
            tail = protocol.name.removeprefix("onevsall")
            values[protocol.name] = float(np.mean(learned))
            values[f"onevsall_kept{tail}"] = float(np.mean(kept))
            values[f"onevsall_probe{tail}"] = records[-1]["probe"]
        return values

    def _watched(self, model: GAN, protocol: metrics.Protocol, seed: int) -> Iterator[dict]:
        """One record for each class learned, with a progress bar on a terminal."""
        return tqdm(
            self.sequence(model, protocol.count, protocol.rotation, seed),
            desc=protocol.name,
            total=TURNS * self.train.num_classes,
            unit=" classes",
            disable=not sys.stderr.isatty(),
        )

    def sequence(
        self, model: GAN, steps: int, rotation: bool, seed: int = 0, points: int = 1
    ) -> Iterator[dict]:
        """What is known in the course of the sequence.

        Args:
            model: whose discriminator is made anew, by its arguments.
            steps: of training for each class.
            rotation: whether the rotation loss is added.
            seed: of weights and batches.
            points: how often, while a class is learned, a record is made; they divide `steps`.

        Yields:
            the `step` in all, the `turn` and `task` (class) it belongs to, `accuracies` on the
            tasks of all classes, and the accuracy of a linear `probe`.
        """
        learner, rng = _Learner(model, rotation, seed), np.random.default_rng(seed)
        labels = self._labels()
        step = 0
        for turn in range(TURNS):
            for task in range(self.train.num_classes):
                for done in range(1, steps + 1):
                    step += 1
                    images = self.train.read(_balanced(rng, labels == task))[0]
                    learner.step(images / np.float32(127.5) - 1.0)
                    if done % (steps // points) == 0:
                        yield {"step": step, "turn": turn, "task": task, **self._known(learner)}

    def _labels(self) -> np.ndarray:
        count, size = min(NUM_TRAIN, len(self.train)), 1000
        parts = [np.arange(start, min(start + size, count)) for start in range(0, count, size)]
        return np.concatenate([self.train.read(part)[1] for part in parts])

    def _known(self, learner: _Learner) -> dict:
        train = features_of(learner.represent, self.train, min(NUM_PROBE, len(self.train)))
        features, labels = features_of(learner.represent, self.test, min(NUM_TEST, len(self.test)))
        told = np.asarray(learner.head(features))[:, 0] > 0
        accuracies = [
            float(np.mean([told[labels == task].mean(), 1.0 - told[labels != task].mean()]))
            for task in range(self.train.num_classes)
        ]
        probe = metrics.probe_accuracy(*train, features, labels)
        return {"accuracies": accuracies, "probe": probe}


class _Learner:
    """A discriminator with fresh weights, with a head for the task and one for rotations.

    Args:
        model: of the kind that is wanted.
        rotation: whether the rotation loss is added.
        seed: of the weights.
    """

    def __init__(self, model: GAN, rotation: bool, seed: int):
        keras.utils.set_random_seed(seed)
        self.model, self.rotation = type(model)(**model.arguments), rotation
        self.model.build()
        self.represent = tf.function(self.model.represent, autograph=False)
        self.networks = self.model.players()["discriminator"]
        self.head, self.rotation_head = (
            keras.layers.Dense(units, dtype="float32") for units in (1, NUM_ROTATIONS)
        )
        self.optimizer = keras.optimizers.Adam(**ADAM)
        self.step = tf.function(self._step, autograph=False)

    def _step(self, images):
        with tf.GradientTape() as tape:
            loss = self._loss(images)
        learners = (*self.networks, self.head, self.rotation_head)
        variables = [v for network in learners for v in network.trainable_variables]
        gradients = tape.gradient(loss, [v.value for v in variables])
        learned = [pair for pair in zip(gradients, variables, strict=True) if pair[0] is not None]
        self.optimizer.apply_gradients(learned)
        for network in self.networks:
            power_iteration(network)

    def _loss(self, images):
        """Of images whose first half is of the class."""
        targets = tf.repeat([1.0, 0.0], BATCH_SIZE // 2)
        if not self.rotation:
            return self._task_loss(targets, self.model.represent(images))
        rotated, turns = rotation_batch_split(images)
        features = self.model.represent(ops.concatenate([images, rotated]))
        logits = self.rotation_head(features[BATCH_SIZE:])
        rotation = ops.sparse_categorical_crossentropy(turns, logits, from_logits=True)
        return self._task_loss(targets, features[:BATCH_SIZE]) + ops.mean(rotation)

    def _task_loss(self, targets, features):
        logits = self.head(features)[:, 0]
        return ops.mean(ops.binary_crossentropy(targets, logits, from_logits=True))


def _balanced(rng: np.random.Generator, belongs: np.ndarray) -> np.ndarray:
    """The numbers of a batch's images, those of the class first."""
    pools = np.flatnonzero(belongs), np.flatnonzero(~belongs)
    return np.concatenate([rng.choice(pool, BATCH_SIZE // 2) for pool in pools])
