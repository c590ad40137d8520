"""TensorFlow starts quietly: what it writes meanwhile is kept back, and shown if it fails."""

import contextlib
import importlib.util
import os
import sys
from collections.abc import Iterator


def start_tensorflow_quietly() -> None:
    """Keeps back what the first `import tensorflow` of this process writes, remarks about missing
    GPUs that read like failures among it, and its remarks below errors from then on."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if "tensorflow" not in sys.modules:
        sys.meta_path.insert(0, _Finder())


class _Finder:
    """Finds TensorFlow once, for `_Loader`."""

    def find_spec(self, name, path=None, target=None):
        if name != "tensorflow":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None:
            spec.loader = _Loader(spec.loader)
        return spec


class _Loader:
    """Loads TensorFlow, and has it look for devices, which is when it complains."""

    def __init__(self, loader):
        self.loader = loader

    def __getattr__(self, name):
        return getattr(self.loader, name)

    def exec_module(self, module):
        with _errors_held_back():
            self.loader.exec_module(module)
            module.config.list_physical_devices()


@contextlib.contextmanager
def _errors_held_back() -> Iterator[None]:
    """Within it nothing is written to standard error, of C++ neither; all of it if this fails."""
    import tempfile

    with tempfile.TemporaryFile() as kept:
        stderr = os.dup(2)
        os.dup2(kept.fileno(), 2)
        try:
            yield
        except BaseException:
            kept.seek(0)
            os.write(stderr, kept.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
