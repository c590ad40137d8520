"""Maxout takes the largest of consecutive features."""

import numpy as np
import tensorflow as tf

from ganzoo.layers import maxout


def test_each_unit_is_the_largest_of_its_pieces():
    x = tf.constant([[1.0, -2.0, 3.0, -4.0, -5.0, -6.0], [0.0, 1.0, 0.5, 7.0, 8.0, 9.0]])
    np.testing.assert_array_equal(maxout(x, 3), [[3.0, -4.0], [1.0, 9.0]])
    np.testing.assert_array_equal(maxout(x, 1), x)
