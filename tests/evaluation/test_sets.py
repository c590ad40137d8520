import keras
import numpy as np
import pytest

from ganzoo import models
from ganzoo.errors import UserError
from ganzoo.evaluation import SetEvaluation
from ganzoo.metrics import FeatureNetwork, open_network
from tests.evaluation.sources import noise, source_of

NETWORK = "convnet-shapes"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A cache of its own."""
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))
    return tmp_path


def network_of(path, size):
    """A Keras network that takes images of one size alone."""
    keras.Sequential(
        [keras.Input((size, size, 3)), keras.layers.AveragePooling2D(8), keras.layers.Flatten()]
    ).save(path)
    return str(path)


@pytest.fixture(scope="module")
def model():
    return models.build("ssgan", **models.model_class("ssgan").TINY)


@pytest.mark.slow
def test_the_same_number_twice_with_the_real_side_from_the_cache(home, model, monkeypatch):
    looked_at = []
    look = FeatureNetwork.__call__

    def counted(self, images):
        looked_at.append(images.shape[0])
        return look(self, images)

    monkeypatch.setattr(FeatureNetwork, "__call__", counted)
    names, images = [f"fd40_{NETWORK}", f"kd20_{NETWORK}", f"pr40_full_{NETWORK}"], noise(60)

    def measured(images):
        looked_at.clear()
        evaluation = SetEvaluation(names, source=source_of(images))
        real = len(looked_at)
        return evaluation.of_model(model), real

    first, computed = measured(images)
    assert computed > 0 and set(first) == {
        *names[:2],
        f"precision40_full_{NETWORK}",
        f"recall40_full_{NETWORK}",
    }
    assert measured(images) == (first, 0)
    images = images.copy()
    images[7] = 0
    changed, computed = measured(images)
    assert computed > 0 and changed != first


def test_images_as_good_as_the_real_ones(home):
    images = noise(60)
    evaluation = SetEvaluation([f"fd60_{NETWORK}", f"dc60_{NETWORK}"], source=source_of(images))
    values = evaluation.of_images(source_of(images[::-1].copy()))
    assert values[f"fd60_{NETWORK}"] == pytest.approx(0.0, abs=1e-3)
    assert values[f"coverage60_{NETWORK}"] == 1.0


def test_too_few_images(home, model):
    source = source_of(noise(30))
    with pytest.raises(UserError, match=r"40 are asked for\. Take a metric with"):
        SetEvaluation([f"fd40_{NETWORK}"], source=source)
    evaluation = SetEvaluation([f"fd40_full_{NETWORK}"], source=source)
    assert evaluation.of_model(model).keys() == {f"fd40_full_{NETWORK}"}
    with pytest.raises(UserError, match="few has 30 images; 40 are asked for"):
        evaluation.of_images(source)


def test_no_real_images():
    with pytest.raises(UserError, match="Real images are needed to compare with; add --dataset"):
        SetEvaluation([f"fd40_{NETWORK}"])


@pytest.mark.parametrize("options", [{"size": 16}, {"channels": 1}])
def test_wrong_sizes_and_channels(home, model, options):
    evaluation = SetEvaluation([f"fd20_{NETWORK}"], source=source_of(noise(20, **options)))
    with pytest.raises(UserError, match=r"32 pixels and 3 channels and .* are not compared"):
        evaluation.of_model(model)
    with pytest.raises(UserError, match=r"32 pixels and 3 channels and .* are not compared"):
        evaluation.of_images(source_of(noise(20)))


def test_a_network_for_another_size(home):
    weights = [network_of(home / "net.keras", 16)]
    expected = r"net.keras takes images \[H, W, C\] of \[16, 16, 3\], not \[32, 32, 3\]: begin"
    with pytest.raises(UserError, match=expected):
        SetEvaluation(["fd20_keras"], weights, source_of(noise(20)))


def test_a_network_without_features(home):
    inputs = keras.Input((32, 32, 3))
    keras.Model(inputs, keras.layers.Conv2D(2, 1)(inputs)).save(home / "net.keras")
    with pytest.raises(UserError, match=r"does not give features \[N, D\]"):
        SetEvaluation(["fd20_keras"], [str(home / "net.keras")], source_of(noise(20)))


@pytest.mark.parametrize(
    "name, weights, words",
    [
        ("fd20_squeezenet", [], "squeezenet needs its weights: an .npz of SqueezeNet 1.1"),
        ("fd20_squeezenet", ["no.npz"], "There is no file no.npz; an .npz of SqueezeNet 1.1"),
        ("fid20", ["no.pb"], "no.pb; download http.*tgz and unpack classify_image_graph_def.pb"),
        ("fd20_keras", ["a", "b"], "keras has one file of weights, not a, b"),
        ("ppl2_wend20_lpips-vgg", [], "two files, --weights=CLASSIFIER.pth,HEADS.pth"),
    ],
)
def test_missing_networks_say_what_to_get(name, weights, words):
    with pytest.raises(UserError, match=words):
        SetEvaluation([name], weights, source_of(noise(20)))


def test_published_statistics_replace_real_images(home, model):
    path, width = home / "real.npz", open_network(NETWORK)(noise(1))[0].shape[1]
    np.savez(path, mu=np.zeros(width), sigma=np.eye(width))
    options = {"source": source_of(noise(20)), "statistics": str(path)}
    values = SetEvaluation([f"fd20_{NETWORK}"], **options).of_model(model)
    assert values[f"fd20_{NETWORK}"] > 0
    with pytest.raises(UserError, match="needs real images, not their statistics"):
        SetEvaluation([f"fd20_{NETWORK}", f"kd20_{NETWORK}"], **options)
    np.savez(path, mu=np.zeros(2048), sigma=np.eye(2048))
    with pytest.raises(UserError, match=r"\(2048,\) and \(2048, 2048\); those of convnet-shapes"):
        SetEvaluation([f"fd20_{NETWORK}"], **options)


def test_classes_are_drawn_as_often_as_they_are_real(home):
    model = models.build("ssgan", **models.model_class("ssgan").TINY, num_classes=2)
    source = source_of(noise(20), np.arange(20) % 3)
    with pytest.raises(UserError, match="The model has 2 classes, and few 3"):
        SetEvaluation([f"fd20_{NETWORK}"], source=source).of_model(model)
    source, seen = source_of(noise(40), np.arange(40) // 30), []
    evaluation = SetEvaluation([f"is400_{NETWORK}"], source=source)

    def of_model(model, latents, labels, seed):
        seen.extend(labels)
        return [open_network(NETWORK)(noise(400))]

    evaluation.extractor.of_model = of_model
    evaluation.of_model(model)
    assert len(seen) == 400 and np.mean(seen) == pytest.approx(0.25, abs=0.05)


def test_a_cache_that_is_damaged_or_cannot_be_written_is_told(home, model, monkeypatch):
    def measure():
        return SetEvaluation([f"fd20_{NETWORK}"], source=source_of(noise(20)))

    measure()
    (cached,) = (home / "home" / "features").glob("*.npz")
    cached.write_bytes(b"half")
    with pytest.raises(UserError, match=r"npz is damaged .*Remove it"):
        measure()
    monkeypatch.setenv("GANZOO_HOME", str(cached))  # a file
    with pytest.raises(UserError, match=r"features cannot be written .*GANZOO_HOME"):
        measure()
