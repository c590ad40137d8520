"""Derivatives of augmentations, as penalties on gradients take them."""

import numpy as np
import tensorflow as tf


def assert_second_derivatives(energy, images, direction, tolerance):
    """Graph against XLA, and against finite differences of the first derivative."""

    def gradient(images):
        with tf.GradientTape() as tape:
            tape.watch(images)
            total = energy(images)
        return tape.gradient(total, images)

    def second(images):
        with tf.GradientTape() as tape:
            tape.watch(images)
            slope = tf.reduce_sum(gradient(images) * direction)
        return tape.gradient(slope, images)

    images = tf.constant(images)
    exact = tf.function(second)(images)
    compiled = tf.function(second, jit_compile=True)(images)
    np.testing.assert_allclose(compiled, exact, atol=1e-3 * np.abs(exact).max())
    step = 1e-2
    ahead, behind = (gradient(images + sign * step * direction) for sign in (1, -1))
    numeric = (ahead - behind) / (2 * step)
    np.testing.assert_allclose(exact, numeric, atol=tolerance * np.abs(numeric).max())
