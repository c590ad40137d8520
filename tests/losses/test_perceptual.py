import hashlib
import shutil

import h5py
import keras
import numpy as np
import pytest
import requests
import tensorflow as tf

from ganzoo.errors import UserError
from ganzoo.losses import VGGLoss, perceptual
from ganzoo.weights import download

RANDOM = np.random.default_rng(0)
SHAPES = {
    f"block{block}_conv{number}": (3, 3, before, after)
    for block, convolutions in enumerate(
        [[(3, 64), (64, 64)], [(64, 128), (128, 128)], [(128, 256), (256, 256)]], start=1
    )
    for number, (before, after) in enumerate(convolutions, start=1)
}
ALL = SHAPES | {
    f"block{block}_conv{number}": (3, 3, before if number == 1 else after, after)
    for block, before, after in ((3, 128, 256), (4, 256, 512), (5, 512, 512))
    for number in (1, 2, 3, 4)
}


def weights(shapes=SHAPES):
    """Random ones for the first convolutions, of about the size that keeps features alive."""
    arrays = {}
    for name, shape in shapes.items():
        std = (2.0 / np.prod(shape[:3])) ** 0.5
        arrays[f"{name}__kernel"] = RANDOM.normal(0, std, shape).astype(np.float32)
        arrays[f"{name}__bias"] = RANDOM.normal(0, 0.1, shape[3]).astype(np.float32)
    return arrays


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "vgg.npz"
    np.savez(path, **weights())
    return path


def write_as_keras(path, file):
    """The arrays of a file, in the form of Keras' applications."""
    with h5py.File(path, "w") as written, np.load(file) as arrays:
        written.attrs["layer_names"] = [name.encode() for name in SHAPES]
        for name in SHAPES:
            group = written.create_group(name)
            group[f"{name}_W_1:0"] = arrays[f"{name}__kernel"]
            group[f"{name}/deeper_b_1:0"] = arrays[f"{name}__bias"]
            names = [f"{name}_W_1:0", f"{name}/deeper_b_1:0"]
            group.attrs["weight_names"] = [weight.encode() for weight in names]


def test_weights_are_known_by_their_content(file, tmp_path):
    np.savez(tmp_path / "other.npz", **weights())
    copy = shutil.copy(file, tmp_path / "copy.npz")
    one, same, other = (
        VGGLoss("vgg22", path).fingerprint() for path in (file, copy, tmp_path / "other.npz")
    )
    assert one == same != other


def images(count=2, size=16, channels=3):
    return RANDOM.uniform(-1, 1, (count, size, size, channels)).astype(np.float32)


@pytest.mark.parametrize(
    "features, layer, parameters",
    [
        ("vgg22", "block2_conv2", 260_160),
        pytest.param("vgg54", "block5_conv4", 20_024_384, marks=pytest.mark.slow),
    ],
)
def test_features_are_those_of_keras_vgg19_with_its_preprocessing(
    tmp_path, features, layer, parameters
):
    arrays = weights(ALL)
    np.savez(tmp_path / "vgg.npz", **arrays)
    loss = VGGLoss(features, tmp_path / "vgg.npz")
    assert loss.network.count_params() == parameters
    whole = keras.applications.VGG19(include_top=False, weights=None)
    for name in ALL:
        whole.get_layer(name).set_weights([arrays[f"{name}__kernel"], arrays[f"{name}__bias"]])
    expected = keras.Model(whole.input, whole.get_layer(layer).output)
    x = images(size=32)
    pixels = keras.applications.vgg19.preprocess_input((x + 1.0) * 127.5)
    found = loss.features(x)
    np.testing.assert_allclose(found, expected(pixels) / 12.75, rtol=1e-4, atol=1e-3)
    assert np.min(found) == 0.0  # after the ReLU
    assert 0.2 < np.mean(np.asarray(found) == 0.0) < 0.8


def test_the_file_of_keras_is_read(tmp_path, file):
    write_as_keras(tmp_path / "vgg.h5", file)
    x = images()
    same = VGGLoss("vgg22", tmp_path / "vgg.h5").features(x)
    np.testing.assert_array_equal(same, VGGLoss("vgg22", file).features(x))


def test_a_difference_of_12_75_in_every_feature_costs_one(file, monkeypatch):
    loss = VGGLoss("vgg22", file)
    monkeypatch.setattr(loss, "network", lambda x: 12.75 * np.asarray(x > 0, np.float32))
    bright, dark = np.ones((3, 4, 4, 3), np.float32), -np.ones((3, 4, 4, 3), np.float32)
    np.testing.assert_allclose(loss(bright, dark), [1.0, 1.0, 1.0], rtol=1e-6)
    np.testing.assert_allclose(loss(bright, bright), [0.0, 0.0, 0.0])


def test_there_is_one_number_per_example_and_grey_is_grey_rgb(file):
    loss = VGGLoss("vgg22", file)
    x, y = images(3), images(3)
    together = loss(x, y)
    alone = [float(loss(x[i : i + 1], y[i : i + 1])[0]) for i in range(3)]
    np.testing.assert_allclose(together, alone, rtol=1e-4)
    grey = images(2, channels=1)
    np.testing.assert_allclose(loss.features(grey), loss.features(np.repeat(grey, 3, axis=-1)))


def test_gradients_reach_the_images(file):
    """The slope along the gradient, by differences, is the length of the gradient."""
    loss = VGGLoss("vgg22", file)
    x, y = tf.constant(images(1)), images(1)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = loss(x, y)[0]
    gradient = tape.gradient(value, x)
    length = tf.norm(gradient)
    ahead, behind = (loss(x + sign * 0.01 * gradient / length, y)[0] for sign in (1, -1))
    assert float(ahead - behind) / 0.02 == pytest.approx(float(length), rel=0.01)


def test_the_precision_of_the_model_does_not_matter(file):
    x, y = images(), images()
    exact = VGGLoss("vgg22", file)(x, y)
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    loss = VGGLoss("vgg22", file)
    assert all(variable.dtype == "float32" for variable in loss.network.variables)
    np.testing.assert_array_equal(loss(x, y), exact)


def test_networks_that_lack_layers_are_refused(file, tmp_path):
    with pytest.raises(UserError, match=r"VGG19 for 'vgg54' \(block3_conv3__kernel is missing"):
        VGGLoss("vgg54", file)
    narrow = weights()
    narrow["block1_conv2__kernel"] = narrow["block1_conv2__kernel"][..., :7]
    np.savez(tmp_path / "narrow.npz", **narrow)
    with pytest.raises(UserError, match=r"block1_conv2__kernel has the shape \(3, 3, 64, 7\)"):
        VGGLoss("vgg22", tmp_path / "narrow.npz")
    with pytest.raises(UserError, match="Did you mean vgg54 or vgg22"):
        VGGLoss("vgg53", file)


def test_a_file_of_other_arrays_is_refused(tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as written:
        written["block1_conv1"] = np.zeros(3)
    with pytest.raises(UserError, match=r"cannot be read as weights of VGG19 .*layer_names"):
        VGGLoss("vgg22", tmp_path / "other.h5")
    np.savez(tmp_path / "other.npz", block1_conv1=np.zeros(3))
    with pytest.raises(UserError, match="block1_conv1__kernel is missing"):
        VGGLoss("vgg22", tmp_path / "other.npz")


@pytest.mark.parametrize("name", ["absent.h5", "text.h5", "text.npz", "cut.npz"])
def test_files_that_are_no_weights_are_told(tmp_path, file, name):
    if "text" in name:
        (tmp_path / name).write_text("hello")
    if "cut" in name:
        (tmp_path / name).write_bytes(file.read_bytes()[:100_000])
    with pytest.raises(UserError, match=r"cannot be read as weights of VGG19 .*notop\.h5"):
        VGGLoss("vgg22", tmp_path / name)


@pytest.fixture
def no_copy(monkeypatch, tmp_path):
    """Neither Keras' copy nor one of ours, and no other file than that of the tests."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))
    for variable in ("GANZOO_OFFLINE", "GANZOO_MIRROR"):
        monkeypatch.delenv(variable, raising=False)
    return "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5"


def test_without_a_network_it_is_said_what_to_do(no_copy, monkeypatch):
    def refuse(*args, **options):
        raise requests.ConnectionError("no network")

    monkeypatch.setattr(download.requests, "get", refuse)
    monkeypatch.setattr(download.time, "sleep", lambda seconds: None)
    advice = r"Fetch https://.*vgg_weights=PATH.*content_loss=mse"
    with pytest.raises(UserError, match=rf"no network.*{advice}"):
        VGGLoss("vgg54")
    monkeypatch.setenv("GANZOO_OFFLINE", "1")
    with pytest.raises(UserError, match=rf"GANZOO_OFFLINE is set.*{advice}"):
        VGGLoss("vgg22")


@pytest.mark.parametrize("place", ["keras/models", "mirror"])
def test_the_copy_of_keras_or_of_a_mirror_is_verified_and_used(
    no_copy, monkeypatch, tmp_path, file, place
):
    copy = tmp_path / place / no_copy
    copy.parent.mkdir(parents=True)
    write_as_keras(copy, file)
    monkeypatch.setenv("GANZOO_MIRROR", str(tmp_path / "mirror"))
    monkeypatch.setenv("GANZOO_OFFLINE", "1")
    with pytest.raises(UserError, match=r"expected md5:253f.*it is another file"):
        VGGLoss("vgg22")
    monkeypatch.setattr(perceptual, "_MD5", hashlib.md5(copy.read_bytes()).hexdigest())
    assert VGGLoss("vgg22").fingerprint() == VGGLoss("vgg22", file).fingerprint()
