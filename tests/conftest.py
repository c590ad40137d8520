"""How tests run: quietly, on CPUs, in processes that free what a file of tests used."""

import gc
import os
import re
import shutil

import pytest

from ganzoo.testing.processes import free  # before TensorFlow is imported

pytest_plugins = ["ganzoo.testing.plugin"]


def pytest_collection_finish(session):
    """Garbage is collected between files alone: graphs are large, and would be looked at often."""
    gc.freeze()
    gc.disable()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """What needs a browser is of the second tier; what takes longest comes first, so that no worker
    is left alone with it."""
    long = ("conformance", "notebooks", "kill", "test_trainer")
    items.sort(key=lambda item: not any(name in item.nodeid for name in long))
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """A worker gets a file at a time, of the conformance suite a model, since its tests share what
    was compiled; and a notebook at a time."""
    from xdist.scheduler import LoadScopeScheduling

    class FileScheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            if "notebook_runs" in nodeid:
                return nodeid
            return re.sub(r"(conformance/\w+\.py)::\w+(\[\w+).*|(\.py)::.*", r"\1\2\3", nodeid)

    config.option.loadscopereorder = False  # in the order of the tests
    return FileScheduling(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item, nextitem):
    """Nothing of a file's models and graphs stays for the next one, nor does what its last test was
    given, which fixtures of the file cannot free."""
    result = yield
    last = nextitem is None or nextitem.path != item.path
    if last and gc.get_count()[0] > 30_000:  # objects since the last time
        import keras

        keras.backend.clear_session()
        free()
    return result


@pytest.fixture(autouse=True)
def _same_start():
    """Each test has the float32 policy, whatever the one before it did."""
    yield
    import keras

    keras.mixed_precision.set_global_policy("float32")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """Prepared data stay out of the user's cache, those of child processes too."""
    os.environ["GANZOO_HOME"] = str(tmp_path_factory.mktemp("home"))


@pytest.fixture
def eager():
    """Nothing is compiled: for tests of few steps that are not about graphs."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


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
