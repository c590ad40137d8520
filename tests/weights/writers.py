"""Files as PyTorch and NVIDIA's code write them, made without either: pickles by hand."""

import io
import pickle
import sys
import types
import zipfile

import numpy as np

MAGIC = 0x1950A86A20F9469CFC6C
STORAGES = {
    "f8": "DoubleStorage",
    "f4": "FloatStorage",
    "f2": "HalfStorage",
    "i8": "LongStorage",
    "b1": "BoolStorage",
}


class Call:
    """Pickles as a call of a named function; `names` makes such names known to pickle."""

    def __init__(self, name, *arguments, state=None):
        self.name, self.arguments, self.state = name, arguments, state

    def __reduce__(self):
        return (names(self.name), self.arguments, *([self.state] if self.state else []))


def names(name):
    """An importable stand-in for a name, so that `pickle` writes it."""
    module, _, attribute = name.rpartition(".")
    parts = module.split(".")
    for package in (".".join(parts[: end + 1]) for end in range(len(parts))):
        if package not in sys.modules:
            sys.modules[package] = types.ModuleType(package)
            MADE.append(package)
    if not hasattr(sys.modules[module], attribute):
        stand_in = type(attribute, (), {"__module__": module, "__qualname__": attribute})
        setattr(sys.modules[module], attribute, stand_in)
    return getattr(sys.modules[module], attribute)


MADE = []


class Writer(pickle.Pickler):
    """Writes arrays as tensors with storages outside of the pickle."""

    def __init__(self, file, legacy=False):
        super().__init__(file, protocol=2)
        self.legacy, self.storages = legacy, []

    def persistent_id(self, item):
        if not isinstance(item, Storage):
            return None
        if not any(item is storage for storage in self.storages):
            self.storages.append(item)
        key = str([item is storage for storage in self.storages].index(True))
        kind = names(f"torch.{STORAGES[item.array.dtype.str[1:]]}")
        return ("storage", kind, key, "cpu", item.array.size, *([None] if self.legacy else []))


class Storage:
    def __init__(self, array):
        self.array = array


def tensor(array, storage=None, offset=0, strides=None):
    """A tensor of an array, or a view of a storage."""
    array = np.asarray(array, order="C")
    storage = storage or Storage(array.ravel())
    strides = strides or tuple(s // array.itemsize for s in array.strides)
    make = "torch._utils._rebuild_tensor_v2"
    return Call(make, storage, offset, array.shape, strides, False, {})


def write_zip(path, item):
    """A `.pth` of PyTorch 1.6 and later."""
    stream = io.BytesIO()
    writer = Writer(stream)
    writer.dump(item)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("net/data.pkl", stream.getvalue())
        archive.writestr("net/byteorder", "little")
        for key, storage in enumerate(writer.storages):
            archive.writestr(f"net/data/{key}", storage.array.tobytes())
    return path


def legacy(item):
    """The bytes of an earlier `.pth`."""
    stream = io.BytesIO()
    for part in (MAGIC, 1001, {"little_endian": True, "protocol_version": 1001}):
        pickle.dump(part, stream, protocol=2)
    writer = Writer(stream, legacy=True)
    writer.dump(item)
    pickle.dump([str(key) for key in range(len(writer.storages))], stream, protocol=2)
    for storage in writer.storages:
        stream.write(storage.array.size.to_bytes(8, "little"))
        stream.write(storage.array.tobytes())
    return stream.getvalue()


def network(parameters=(), buffers=(), modules=()):
    """A module as NVIDIA's `persistence` pickles it, source code included."""
    state = {
        "_parameters": {name: parameter(array) for name, array in dict(parameters).items()},
        "_buffers": {name: nested(array) for name, array in dict(buffers).items()},
        "_modules": dict(modules),
        "resolution": 4,
        "training": False,
    }
    meta = {"type": "class", "version": 6, "module_src": "raise SystemExit", "class_name": "Net"}
    return Call("torch_utils.persistence._reconstruct_persistent_obj", {**meta, "state": state})


def parameter(array):
    return Call("torch._utils._rebuild_parameter", nested(array), True, {})


def nested(array):
    """A tensor whose storage is a legacy file inside of the pickle."""
    storage = Call("torch.storage._load_from_bytes", legacy(Storage(array.ravel())))
    strides = tuple(s // array.itemsize for s in array.strides)
    make = "torch._utils._rebuild_tensor_v2"
    return Call(make, storage, 0, array.shape, strides, False, {})
