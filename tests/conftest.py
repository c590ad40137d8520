"""Set before TensorFlow is imported: quiet start-up, the backend, no GPU; then two logical CPUs,
for replicas."""

import os
import shutil

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import keras
import pytest
import tensorflow as tf

tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)


@pytest.fixture(autouse=True)
def _same_start():
    """Each test has the float32 policy, whatever the one before it did."""
    yield
    keras.mixed_precision.set_global_policy("float32")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """Prepared data stay out of the user's cache, those of child processes too."""
    os.environ["GANZOO_HOME"] = str(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def two_replicas() -> tf.distribute.Strategy:
    """One replica on each of the two logical CPUs."""
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


@pytest.fixture(scope="module")
def browser():
    """Chromium without a window; tests that need it are skipped where it is missing."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="needs the package selenium")
    program = shutil.which("chromium") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("needs chromium and chromedriver (on Debian: chromium, chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    with webdriver.Chrome(options, webdriver.ChromeService(driver)) as chromium:
        yield chromium
