import pytest


@pytest.fixture(autouse=True)
def home(tmp_path_factory, monkeypatch):
    """A cache folder of its own for each test."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("GANZOO_HOME", str(folder))
    return folder
