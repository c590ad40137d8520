"""Files of PyTorch, read without it: `.pth` in both formats, and NVIDIA's pickles of networks."""

import io
import zipfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ganzoo.weights import archives, pickles, tensors
from ganzoo.weights.pickles import Name, Record, RefusedFile, Vocabulary, shown
from ganzoo.weights.tensors import DTYPES, NDARRAY, Storage, Tensor

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
MOST_PARTS = 200_000  # of an object; networks have some thousands
LONGEST_NAME = 1000  # characters
_DEEPEST = 50
_NETWORK = "torch_utils.persistence._reconstruct_persistent_obj"
_CLASSES = (  # of which objects become records
    *(f"torch.{name}" for name in DTYPES),
    _NETWORK,
    "numpy.ndarray",
    "dnnlib.tflib.network.Network",
    "models.utils.config.BaseConfig",
    "torch.nn.modules.",
    *("R3GAN.", "training.networks.", "torch.float32", "torch.bfloat16"),  # of brownvc/R3GAN
)


def read_zip(path: Path) -> Any:
    """The object in a `.pth` of PyTorch 1.6 or later, or TorchScript's tensors.

    Raises:
        RefusedFile: for a file that is damaged or holds more than data.
    """
    with archives.opened(path) as archive:
        names = {info.filename: info for info in archive.infolist()}
        index = next((n for n in names if n.count("/") == 1 and n.endswith("/data.pkl")), None)
        if index is None:
            raise RefusedFile("an archive without data.pkl")
        root = index.removesuffix("data.pkl")
        order = names.get(f"{root}byteorder")
        if order is not None and _member(archive, order) != b"little":
            raise RefusedFile("numbers in big-endian order")
        storages: dict[str, Storage] = {}

        def persistent(key) -> Storage:
            storage, name = _declared(key)
            if name not in storages:
                member = names.get(f"{root}data/{name}")
                if member is None or member.compress_type != zipfile.ZIP_STORED:
                    raise RefusedFile(f"an archive whose storage {name} is missing or compressed")
                storage.fill(archive.read(member))
                storages[name] = storage
            return storages[name]

        program = io.BytesIO(_member(archive, names[index]))
        return pickles.load(program, Vocabulary(_MAKERS, _CLASSES, persistent))


def read_legacy(file: BinaryIO) -> Any:
    """The object in a `.pth` of earlier versions, or in bytes that another pickle holds.

    Raises:
        RefusedFile: for a file that is damaged or holds more than data.
    """
    plain = Vocabulary({})
    if pickles.load(file, plain) != LEGACY_MAGIC:
        raise RefusedFile("neither of PyTorch's formats")
    pickles.load(file, plain)  # the version of the protocol
    facts = pickles.load(file, plain)
    if not isinstance(facts, dict) or facts.get("little_endian") is not True:
        raise RefusedFile("numbers in big-endian order")
    storages: dict[str, Storage] = {}

    def persistent(key) -> Storage:
        storage, name = _declared(key)
        if len(key) > 5 and key[5] is not None:
            raise RefusedFile("a storage that is a part of another one")
        return storages.setdefault(name, storage)

    found = pickles.load(file, Vocabulary(_MAKERS, _CLASSES, persistent))
    keys = pickles.load(file, plain)
    if not isinstance(keys, list) or {_named(key) for key in keys} != set(storages):
        raise RefusedFile("storages that do not match their list")
    for storage in (storages[_named(key)] for key in keys):
        if int.from_bytes(file.read(8), "little", signed=True) != storage.count:
            raise RefusedFile(f"a storage of another size than {storage.count}")
        storage.fill(file.read(storage.num_bytes))
    return found


def read_networks(file: BinaryIO) -> Any:
    """The object in a pickle of NVIDIA's networks."""
    return pickles.load(file, Vocabulary(_MAKERS | _NESTING, _CLASSES))


def state_dict(found: Any, attributes: Collection[str] = ()) -> dict[str, np.ndarray]:
    """Every tensor and array in an object, by its dotted name; what else it holds is left out.

    Tensors share memory as they do in the file, and cannot be written to. Of a network's parts,
    `attributes` that are numbers are arrays, too.

    Raises:
        RefusedFile: for tensors beyond their storages, or an object without end.
    """
    with pickles.damage():
        return dict(_Parts(attributes).of(found, ()))


class _Parts:
    """Walks through an object, but not forever: what lies in it twice is visited twice."""

    def __init__(self, attributes: Collection[str]):
        self.attributes = attributes
        self.visited = 0

    def of(self, found: Any, path: tuple[str, ...]) -> Iterator[tuple[str, np.ndarray]]:
        self.visited += 1
        if self.visited > MOST_PARTS or len(path) > _DEEPEST:
            raise RefusedFile("an object that contains itself, or too many others")
        if isinstance(found, Record) and found.kind == NDARRAY:
            found = tensors.array_of(found)
        if isinstance(found, Tensor):
            yield _joined(path), found.array()
        elif isinstance(found, np.ndarray | np.generic):
            yield _joined(path), np.asarray(found)
        else:
            for name, part in _members(found, self.attributes):
                yield from self.of(part, (*path, pickles.key(name)))


def _joined(path: tuple[str, ...]) -> str:
    if sum(map(len, path)) > LONGEST_NAME:
        raise RefusedFile(f"a name of more than {LONGEST_NAME} characters")
    return ".".join(path)


def _members(found: Any, attributes: Collection[str]) -> Iterator[tuple[Any, Any]]:
    """What an object consists of, with names."""
    if isinstance(found, Record):
        yield from _of_record(found, attributes)
    elif isinstance(found, dict):
        yield from found.items()
    elif isinstance(found, list | tuple):
        yield from enumerate(found)


def _of_record(record: Record, attributes: Collection[str]) -> Iterator[tuple[Any, Any]]:
    """A network's parameters, buffers, parts and `attributes`, as `state_dict` names them."""
    state = record.state
    if str(record.kind) == _NETWORK:
        (meta,) = record.arguments
        state = meta.get("state") if isinstance(meta, dict) else None
    if not isinstance(state, dict):
        return
    if "variables" in state:  # of NVIDIA's networks in TensorFlow
        yield from state["variables"]
        yield from (state.get("components") or {}).items()
    elif "_modules" not in state:
        yield from state.items()
    else:
        for group in ("_parameters", "_buffers", "_modules"):
            yield from (state.get(group) or {}).items()
        for name in attributes:
            if type(state.get(name)) in (int, float):
                yield name, np.float64(state[name])


def _only_storage(raw) -> Storage:
    """The storage that a nested file is."""
    if type(raw) is not bytes:
        raise RefusedFile(f"a nested file that is a {type(raw).__name__}")
    return _storage(read_legacy(io.BytesIO(raw)))


def _storage(found) -> Storage:
    if not isinstance(found, Storage):
        raise RefusedFile(f"a tensor of a {type(found).__name__}")
    return found


def _dictionary(items) -> dict:
    pairs = items.items() if type(items) is dict else items
    return {pickles.key(name): value for name, value in pairs}


def _declared(key) -> tuple[Storage, str]:
    """The storage that a persistent id describes, empty, and its name."""
    if type(key) is not tuple or len(key) < 5 or key[0] != "storage":
        raise RefusedFile(f"a reference to {shown(key)}, which is no storage")
    kind, name, count = key[1], _named(key[2]), key[4]
    if not isinstance(kind, Name) or kind.module != "torch" or kind.name not in DTYPES:
        raise RefusedFile(f"a storage of {shown(kind)}")
    if type(count) is not int or not 0 <= count < 1 << 60:
        raise RefusedFile(f"a storage of {shown(count)} numbers")
    return Storage(kind.name, count), name


def _named(key) -> str:
    """The name of a storage, a number as a rule."""
    if type(key) not in (str, int) or len(text := str(key)) > 100:
        raise RefusedFile(f"a storage with the name {shown(key)}")
    return text


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """A small member of an archive."""
    if info.file_size > 1 << 28:
        raise RefusedFile(f"an archive whose {info.filename} is {info.file_size:,} bytes large")
    return archive.read(info)


_MAKERS = {
    "collections.OrderedDict": lambda items=(): _dictionary(items),
    "dnnlib.util.EasyDict": lambda items=(): _dictionary(items),
    "torch._utils._rebuild_tensor": lambda *parts: Tensor(_storage(parts[0]), *parts[1:4]),
    "torch._utils._rebuild_tensor_v2": lambda *parts: Tensor(_storage(parts[0]), *parts[1:4]),
    "torch._utils._rebuild_parameter": lambda tensor, *rest: tensor,
    "torch.Size": tuple,
    "numpy.dtype": lambda code, *flags: Record(tensors.DTYPE, (code,)),
    "_codecs.encode": tensors.encoded,
    **{
        f"numpy.{core}.multiarray.{name}": maker
        for core in ("core", "_core")
        for name, maker in (
            ("scalar", tensors.scalar),
            ("_reconstruct", lambda *parts: Record(NDARRAY, ())),
        )
    },
}
# A nested file holds one storage and no other file, or a small one could hold endlessly many.
_NESTING = {"torch.storage._load_from_bytes": lambda raw: _only_storage(raw)}
