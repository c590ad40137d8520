"""What pytest has to know: which models are tested, the second tier, and two replicas."""

import pytest

from ganzoo.testing import processes


def pytest_addoption(parser):
    words = "a model for ganzoo's conformance suite: a name, module:Class or a config file"
    parser.addoption("--ganzoo-model", action="append", help=words)


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: the second tier, of tests that take long")
    if config.getoption("numprocesses", None):
        return  # this process only hands tests to workers
    if processes.FRESH:  # of workers there are as many as cores
        processes.configure(threads=1 if hasattr(config, "workerinput") else None)


@pytest.fixture(scope="session")
def two_replicas():
    """A strategy with one replica on each of the two logical CPUs."""
    import tensorflow as tf

    if len(tf.config.list_logical_devices("CPU")) < 2:
        pytest.skip("needs two devices: call ganzoo.testing.two_cpus() before TensorFlow is used")
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
