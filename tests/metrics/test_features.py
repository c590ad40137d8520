import tarfile

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from ganzoo.data import shapes
from ganzoo.errors import UserError
from ganzoo.metrics import (
    CLEAN,
    INCEPTION,
    FeatureSet,
    classifiers,
    measure,
    networks,
    open_network,
    parse,
    published,
)
from ganzoo.weights import download

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 16, 16, 3), np.uint8)


def looked_at(network, images):
    """Features and probabilities, as NumPy has them."""
    return tuple(None if value is None else value.numpy() for value in network(images))


def frozen(path, bias=5.0):
    """A small graph with the names of the official one: means of 8 x 8 patches' channels."""
    graph = tf.Graph()
    with graph.as_default():
        inputs = tf.compat.v1.placeholder(tf.float32, [1, None, None, 3], name="ExpandDims")
        resized = tf.compat.v1.image.resize_bilinear(inputs, [8, 8])
        tf.reduce_mean((resized - 128.0) / 128.0, axis=[1, 2], keepdims=True, name="pool_3")
        pooled = tf.reshape(graph.get_tensor_by_name("pool_3:0"), [1, 3])
        weights = tf.constant(np.arange(12, dtype=np.float32).reshape(3, 4))
        with tf.name_scope("softmax/logits/"):
            product = tf.matmul(pooled, weights, name="MatMul")
            tf.add(product, bias)
    path.write_bytes(graph.as_graph_def().SerializeToString())
    return path


def test_inception_is_a_frozen_graph_without_its_bias(tmp_path):
    network = open_network(INCEPTION, frozen(tmp_path / "graph.pb"))
    features, probabilities = looked_at(network, IMAGES)
    # TensorFlow 1's bilinear interpolation takes every other pixel of a halved image.
    expected = (IMAGES[:, ::2, ::2].astype(np.float64) - 128) / 128
    np.testing.assert_allclose(features, expected.mean((1, 2)), atol=1e-5)
    logits = features @ np.arange(12).reshape(3, 4)
    logits = np.exp(logits - logits.max(axis=1, keepdims=True))
    np.testing.assert_allclose(probabilities, logits / logits.sum(1, keepdims=True), atol=1e-5)
    assert network.name == INCEPTION and len(network.fingerprint) == 64


def test_inception_is_downloaded_once(tmp_path, monkeypatch):
    graph = frozen(tmp_path / "classify_image_graph_def.pb")
    with tarfile.open(tmp_path / "inception.tgz", "w:gz") as archive:
        archive.add(graph, graph.name)
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path))
    place = download.place_of(networks._INCEPTION_URL)
    place.parent.mkdir()
    monkeypatch.setenv("GANZOO_OFFLINE", "1")
    with pytest.raises(UserError, match="--inception=classify_image_graph_def"):
        open_network(INCEPTION)
    (tmp_path / "inception.tgz").rename(place)
    assert open_network(INCEPTION).fingerprint == open_network(INCEPTION, graph).fingerprint


def test_clean_inception_sees_images_resized_as_pillow_does(tmp_path):
    network = open_network(CLEAN, frozen(tmp_path / "graph.pb"))
    features, _ = looked_at(network, IMAGES)
    channels = [
        np.asarray(Image.fromarray(channel.astype(np.float32)).resize((299, 299), Image.BICUBIC))
        for channel in IMAGES[0].transpose(2, 0, 1)
    ]
    resized = np.clip(np.stack(channels, axis=-1), 0, 255)
    # What the small graph makes of it: 8 x 8 pixels by TensorFlow 1's interpolation.
    places = np.arange(8) * 299 / 8
    low, part = places.astype(int), places % 1
    for axis in (0, 1):
        below, above = (np.take(resized, low + i, axis=axis) for i in (0, 1))
        weight = part.reshape(-1, *[1] * (2 - axis))
        resized = below + weight * (above - below)
    np.testing.assert_allclose(features[0], ((resized - 128) / 128).mean((0, 1)), atol=1e-5)


def test_classifiers_that_come_along(tmp_path):
    assert classifiers.CLASSIFIERS["convnet-shapes"].classes == tuple(
        f"{color} {shape}" for shape in shapes.SHAPES for color in shapes.COLORS
    )
    indices = np.arange(100)
    known = shapes.factors(indices)
    network = open_network("convnet-shapes")
    for size in (32, 64):
        features, probabilities = looked_at(network, shapes.draw(indices, size, 3))
        right = probabilities.argmax(axis=1) == known["shape"] * 8 + known["color"]
        assert features.shape == (100, 64) and right.mean() > 0.97
    features, probabilities = looked_at(open_network("lenet-mnist"), IMAGES)
    assert features.shape == (6, 128) and probabilities.shape == (6, 10)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_published_statistics(tmp_path):
    network = open_network("convnet-shapes")
    known = FeatureSet.of(map(network, [IMAGES, IMAGES[::-1]]))
    mean, covariance = known.statistics()
    np.savez(tmp_path / "real.npz", mu=mean, sigma=covariance)
    given = published(tmp_path / "real.npz", network)
    protocol = parse("fd12_full_convnet-shapes")
    assert measure(protocol, given, known)[protocol.name] == pytest.approx(0, abs=1e-2)
    np.savez(tmp_path / "real.npz", mu=mean[:5], sigma=covariance[:5, :5])
    with pytest.raises(UserError, match=r"shapes \(5,\) and \(5, 5\); those of convnet-shapes"):
        published(tmp_path / "real.npz", network)
    np.savez(tmp_path / "real.npz", mean=mean)
    with pytest.raises(UserError, match="arrays mu and sigma"):
        published(tmp_path / "real.npz", network)


def saved_network(path):
    inputs = keras.Input((16, 16, 3))
    network = keras.Model(inputs, keras.layers.AveragePooling2D(8)(inputs))
    network = keras.Sequential([network, keras.layers.Flatten()])
    network.save(path)
    return path


def test_a_model_of_keras(tmp_path):
    network = open_network("keras", saved_network(tmp_path / "net.keras"))
    features, probabilities = looked_at(network, IMAGES)
    blocks = IMAGES.reshape(6, 2, 8, 2, 8, 3).mean((2, 4)).reshape(6, 12)
    np.testing.assert_allclose(features, blocks, atol=1e-4)
    assert probabilities is None


def test_grey_images_have_three_equal_channels(tmp_path):
    network = open_network("keras", saved_network(tmp_path / "net.keras"))
    grey, _ = looked_at(network, IMAGES[..., :1])
    color, _ = looked_at(network, np.repeat(IMAGES[..., :1], 3, axis=-1))
    np.testing.assert_array_equal(grey, color)


def test_squeezenet_has_512_features(tmp_path):
    from ganzoo.metrics.networks import _squeezenet_layers

    rng, layers = np.random.default_rng(0), _squeezenet_layers()
    assert sum(int(np.prod(v.shape)) for v in layers.weights) == 722_496
    arrays = {
        f"{layer.name}__{v.name}": rng.normal(0, 0.1, v.shape).astype(np.float32)
        for layer in layers.layers
        for v in layer.weights
    }
    np.savez(tmp_path / "net.npz", **arrays)
    features, _ = looked_at(open_network("squeezenet", tmp_path / "net.npz"), IMAGES)
    assert features.shape == (6, 512) and (features >= 0).all()
    del arrays["fire9__expand3x3__bias"]
    np.savez(tmp_path / "net.npz", **arrays)
    with pytest.raises(UserError, match="fire9__expand3x3__bias"):
        open_network("squeezenet", tmp_path / "net.npz")


@pytest.mark.parametrize(
    "name, content, words",
    [
        ("squeezenet", None, "squeezenet needs its weights"),
        (INCEPTION, b"hello", "classify_image_graph_def.pb"),
        ("keras", b"hello", "no model saved by Keras"),
        ("squeeze", b"", "Did you mean squeezenet"),
    ],
)
def test_what_is_missing_or_broken_is_told(tmp_path, name, content, words):
    path = tmp_path / "net.keras"
    path.write_bytes(content or b"")
    with pytest.raises(UserError, match=words):
        open_network(name, None if content is None else path)


def test_names_say_the_protocol():
    protocol = parse("fid50k_full")
    assert (protocol.kind, protocol.count, protocol.full) == ("fd", 50_000, True)
    assert protocol.network == INCEPTION
    protocol = parse("pr500_squeezenet")
    assert (protocol.kind, protocol.count, protocol.full) == ("pr", 500, False)
    assert protocol.network == "squeezenet"
    assert parse("clean-fid50k").network == CLEAN and parse("pr50k").network == INCEPTION
    protocol = parse("ppl2_wend50k_lpips-vgg")
    assert (protocol.space, protocol.sampling, protocol.crop) == ("w", "end", False)
    assert (protocol.kind, protocol.count, protocol.network) == ("ppl", 50_000, "lpips-vgg")
    assert parse("ppl_zfull10k_lpips-vgg").crop


@pytest.mark.parametrize(
    "name, words",
    [
        ("fid", "Unknown metric 'fid'"),
        ("fid50k_squeezenet", "fid is that of Inception alone"),
        ("fd50k_full", "fd needs the name of its network"),
        ("clean-fd50k_keras", "clean- is of Inception"),
        ("modes50k", "modes needs the name"),
        ("is9", "of 9; expected 10 or more"),
    ],
)
def test_names_that_say_too_little_are_refused(name, words):
    with pytest.raises(UserError, match=words):
        parse(name)


def test_measuring_the_same_set_twice(tmp_path):
    network = open_network(INCEPTION, frozen(tmp_path / "graph.pb"))
    first = FeatureSet.of(map(network, [IMAGES, IMAGES[::-1]]), keep=12)
    second = FeatureSet.of([network(np.concatenate([IMAGES, IMAGES]))], keep=12)
    assert measure(parse("fid12"), first, second)["fid12"] == pytest.approx(0, abs=1e-6)
    values = measure(parse("pr12"), first, second)
    assert values == {"precision12": 1.0, "recall12": 1.0}
    values = measure(parse("dc12_full"), first, second)
    assert values["coverage12_full"] == 1.0
    assert set(measure(parse("is12"), first, second)) == {"is12", "is_deviation12"}
    assert set(measure(parse("kid12"), first, second)) == {"kid12"}
    assert set(measure(parse("modes12_keras"), first, second)) == {
        "modes12_keras",
        "modes_kl12_keras",
    }
    assert set(measure(parse("fid10"), first, second)) == {"fid10"}  # of the first ten


def test_accuracy_is_the_share_of_images_of_the_class_asked_for():
    right = np.repeat([0, 1, 2], 4)
    probabilities = np.eye(3, dtype=np.float32)[right]
    images = FeatureSet.of([(tf.zeros([12, 2]), tf.constant(probabilities))], keep=12)
    asked = np.where(np.arange(12) < 3, 2, right)  # of three images another class was asked for
    protocol = parse("accuracy12_keras")
    assert measure(protocol, None, images, labels=asked) == {"accuracy12_keras": 0.75}
    assert protocol.higher_is_better and not protocol.compares
    for labels in (None, asked + 1):
        with pytest.raises(UserError, match="has 3 classes, which are not those of the model"):
            measure(protocol, None, images, labels=labels)


def test_features_that_are_not_finite_are_refused():
    features = tf.constant([[1.0, 2.0], [np.nan, 0.0]])
    with pytest.raises(UserError, match="features that are not finite"):
        FeatureSet.of([(features[:1], None), (features, None)])
