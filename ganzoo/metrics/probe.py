"""How well a linear classifier tells classes by features that were learned without labels."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

STEPS, LEARNING_RATE, DECAY = 1000, 0.01, 1e-4


def probe_accuracy(features, labels, test_features, test_labels) -> float:
    """The accuracy of multinomial logistic regression: Chen et al. 2019, section 4.4.

    https://arxiv.org/abs/1811.11212

    Features are standardized by the training set; cross entropy with 1e-4 of the squared weights is
    minimized by 1,000 steps of Adam over the whole set. No random number is drawn.

    Args:
        features: of the training set, `[N, D]`.
        labels: its classes, `[N]`, from 0 on.
        test_features: `[M, D]`.
        test_labels: `[M]`.

    Returns:
        the share of the test set whose class is told, 0 to 1.
    """
    mean, deviation = features.mean(axis=0), features.std(axis=0) + 1e-6
    x, y = tf.constant((features - mean) / deviation, tf.float32), tf.constant(labels, tf.int32)
    classes = int(max(labels.max(), test_labels.max())) + 1
    weights = keras.Variable(np.zeros([x.shape[1], classes]), dtype="float32")
    bias = keras.Variable(np.zeros([classes]), dtype="float32")
    optimizer = keras.optimizers.Adam(LEARNING_RATE)
    optimizer.build([weights, bias])

    @tf.function(autograph=False)
    def step():
        with tf.GradientTape() as tape:
            logits = x @ weights + bias
            errors = tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits)
            loss = tf.reduce_mean(errors) + DECAY * tf.reduce_sum(tf.square(weights))
        optimizer.apply(tape.gradient(loss, [weights, bias]), [weights, bias])

    for _ in range(STEPS):
        step()
    logits = ((test_features - mean) / deviation) @ np.asarray(weights) + np.asarray(bias)
    return float(np.mean(logits.argmax(axis=1) == test_labels))
