import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.layers import (
    CroppedConv2DTranspose,
    PaddedConv2D,
    WeightNormConv2D,
    WeightNormConv2DTranspose,
    WeightNormDense,
)

RANDOM = np.random.default_rng(0)
# Each layer with its plain form, the shape of its inputs, and the axis of the output channels.
LAYERS = {
    "dense": (WeightNormDense, keras.layers.Dense, (5,), (8, 6), 1),
    "convolution": (WeightNormConv2D, PaddedConv2D, (5, 3, 1), (8, 6, 6, 2), 3),
    "strided": (WeightNormConv2D, PaddedConv2D, (5, 3, 1, "constant"), (8, 6, 6, 2), 3),
    "transposed": (WeightNormConv2DTranspose, CroppedConv2DTranspose, (5, 5, 2), (8, 4, 4, 2), 2),
}


def _made(name, cls=0, **options):
    arguments, shape = LAYERS[name][2:4]
    if name in ("strided", "transposed"):
        options["strides"] = 2
    layer = LAYERS[name][cls](*arguments, **options)
    layer.build(shape)
    return layer, RANDOM.standard_normal(shape).astype(np.float32)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("name", LAYERS)
def test_the_kernel_has_the_length_of_the_scale(name):
    layer, x = _made(name)
    plain, _ = _made(name, 1)
    axis = LAYERS[name][4]
    direction = RANDOM.standard_normal(layer.direction.shape).astype(np.float32)
    scale = np.linspace(0.5, 2.0, 5, dtype=np.float32)
    layer.direction.assign(direction)
    layer.scale.assign(scale)
    others = tuple(i for i in range(direction.ndim) if i != axis)
    lengths = np.sqrt(np.square(np.asarray(layer.kernel)).sum(axis=others))
    np.testing.assert_allclose(lengths, scale, rtol=1e-5)
    plain.kernel.assign(layer.kernel)
    np.testing.assert_allclose(layer(x), plain(x), atol=1e-5)
    layer.direction.assign(3.0 * direction)
    np.testing.assert_allclose(layer(x), plain(x), atol=1e-5)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("name", LAYERS)
def test_initialize_standardizes_each_output_channel(name):
    layer, x = _made(name, initial_deviation=0.5)
    layer.bias.assign(RANDOM.standard_normal(5))
    outputs = np.asarray(layer.initialize(3.0 * x + 1.0)).reshape(-1, 5)
    np.testing.assert_allclose(outputs.mean(axis=0), 0.0, atol=1e-5)
    np.testing.assert_allclose(outputs.std(axis=0), 0.5, rtol=1e-4)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("name", LAYERS)
def test_it_is_saved_with_its_scale(name, tmp_path):
    layer, x = _made(name, learn_scale=name == "dense")
    assert len(layer.trainable_variables) == (3 if name == "dense" else 2)
    layer.scale.assign(RANDOM.uniform(1.0, 2.0, 5))
    model = keras.Sequential([layer])
    model.build(x.shape)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(model(x), loaded(x))
    assert layer.get_config() == loaded.layers[0].get_config()


def test_the_gradient_is_orthogonal_to_the_direction():
    """So that only its own learning rate decides about the length of a kernel."""
    layer, x = _made("dense")
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(layer(x) - 1.0))
    gradient = tape.gradient(loss, layer.direction.value)
    products = tf.reduce_sum(gradient * layer.direction.value, axis=0)
    assert np.abs(gradient).max() > 0.1
    np.testing.assert_allclose(products, 0.0, atol=1e-4)
