"""Reads pickles as data: an interpreter that builds records and arrays and calls nothing.

Python's own `pickle` calls whatever a file names. Here a name is inert, and only names of a given
vocabulary are accepted; to "call" one makes a record, or what a function of ours makes of the
arguments, such as a tensor.
"""

import contextlib
import dataclasses
import pickletools
import reprlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO

from ganzoo.errors import UserError

MOST_OPCODES = 1_000_000  # of the files that people publish, none comes near
LONGEST_NAME = 200  # characters, of a global
LONGEST_KEY = 1000  # characters, or bits of a number


class RefusedFile(UserError):
    """A file that holds something other than weights, or is damaged."""


@dataclasses.dataclass(frozen=True)
class Name:
    """What a pickle calls a global: a class or a function, never looked up."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclasses.dataclass(eq=False, repr=False)
class Record:
    """An object that was not made: its class, what it would have been made of, and its state."""

    kind: Name
    arguments: tuple
    state: Any = None


@dataclasses.dataclass(frozen=True)
class Vocabulary:
    """The names that a kind of file may hold.

    Attributes:
        makers: from a dotted name to a function of ours that is called with the arguments.
        classes: dotted names, or prefixes that end in a dot, of objects that become records.
        persistent: called with the persistent ids of tensors' storages.
    """

    makers: Mapping[str, Callable[..., Any]]
    classes: tuple[str, ...] = ()
    persistent: Callable[[Any], Any] | None = None

    def knows(self, name: Name) -> bool:
        """Whether a file may hold this name."""
        text = str(name)
        listed = any(text == c or (c.endswith(".") and text.startswith(c)) for c in self.classes)
        return text in self.makers or listed


_MARK = object()
# Hashing and printing a structure can take a time exponential in the bytes that describe it.
_KEYS = (str, int, float, bool, bytes, type(None))
_SIZED = (str, bytes, bytearray, list, tuple, dict, set, frozenset)
shown = reprlib.repr  # short, whatever the structure


@contextlib.contextmanager
def damage() -> Iterator[None]:
    """What goes wrong with data of unexpected types or values becomes a `RefusedFile`."""
    try:
        yield
    except RefusedFile:
        raise
    except RecursionError as error:
        raise RefusedFile("a pickle is nested too deeply") from error
    except (LookupError, ValueError, TypeError, AttributeError, ArithmeticError) as error:
        reason = f"{type(error).__name__}: {error}"[:200]
        raise RefusedFile(f"a damaged pickle ({reason})") from error


def load(file: BinaryIO, vocabulary: Vocabulary) -> Any:
    """The object of one pickle; the file is left after it.

    Raises:
        RefusedFile: for a name outside the vocabulary, or anything that is not a whole pickle.
    """
    with damage():
        return _Interpreter(vocabulary).run(file)


class _Interpreter:
    """A stack machine with the opcodes of pickle that data need."""

    def __init__(self, vocabulary: Vocabulary):
        self.vocabulary = vocabulary
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.start = self.place = self.used = 0

    def run(self, file: BinaryIO) -> Any:
        self.start = file.tell()
        for number, (opcode, argument, place) in enumerate(pickletools.genops(file)):
            self.place = place
            if number > MOST_OPCODES:
                raise RefusedFile(f"a pickle of more than {MOST_OPCODES:,} operations")
            if opcode.name == "STOP":
                return self.stack.pop()
            if opcode.name in _CONSTANTS:
                self.stack.append(argument)
                continue
            if opcode.name in _COLLECTIONS:
                make, count = _COLLECTIONS[opcode.name]
                self.stack.append(make(self._taken(count)))
                continue
            if opcode.name in _ADDITIONS:
                kind, count, add = _ADDITIONS[opcode.name]
                items = self._taken(count)
                add(_plain(self.stack[-1], kind), items)
                continue
            handler = getattr(self, f"_{opcode.name.lower()}", None)
            if handler is None:
                raise RefusedFile(
                    f"a pickle with the operation {opcode.name}, which no weights need"
                )
            handler(argument)
        raise RefusedFile("a pickle that does not end")

    def _taken(self, count: int | None) -> list:
        """The last items, taken off the stack; None takes those above the last mark, and it."""
        if count is not None:
            items = self.stack[len(self.stack) - count :]
            del self.stack[len(self.stack) - count :]
            return items
        index = len(self.stack) - 1
        while index >= 0 and self.stack[index] is not _MARK:
            index -= 1
        if index < 0:
            raise RefusedFile("a pickle without a mark")
        items = self.stack[index + 1 :]
        del self.stack[index:]
        return items

    def _proto(self, argument):
        pass

    _frame = _proto

    def _mark(self, argument):
        self.stack.append(_MARK)

    def _pop(self, argument):
        self.stack.pop()

    def _pop_mark(self, argument):
        self._taken(None)

    def _dup(self, argument):
        self.stack.append(self.stack[-1])

    def _memoize(self, argument):
        self.memo[len(self.memo)] = self.stack[-1]

    def _put(self, argument):
        if not 0 <= argument <= MOST_OPCODES:  # such as numbers that collide, see `key`
            raise RefusedFile(f"an object with the number {shown(argument)}")
        self.memo[argument] = self.stack[-1]

    _binput = _long_binput = _put

    def _get(self, argument):
        self.stack.append(self.memo[argument])

    _binget = _long_binget = _get

    def _global(self, argument):
        module, _, name = argument.partition(" ")
        self._named(Name(module, name))

    def _stack_global(self, argument):
        name, module = self.stack.pop(), self.stack.pop()
        self._named(Name(_plain(module, str), _plain(name, str)))

    def _named(self, name: Name):
        if len(name.module) + len(name.name) > LONGEST_NAME:
            raise RefusedFile(f"a global with a name of more than {LONGEST_NAME} characters")
        if not self.vocabulary.knows(name):
            raise RefusedFile(
                f"it names {name}, which is not part of any weights. Where it was made, write those"
                " alone: torch.save(network.state_dict(), PATH)"
            )
        self.stack.append(name)

    def _reduce(self, argument):
        arguments, kind = self.stack.pop(), self.stack.pop()
        self.stack.append(self._made(kind, arguments))

    _newobj = _reduce

    def _newobj_ex(self, argument):
        keywords, arguments, kind = (self.stack.pop() for _ in range(3))
        if keywords:
            raise RefusedFile(f"it makes {kind} with keywords, which no weights need")
        self.stack.append(self._made(kind, arguments))

    def _made(self, kind, arguments):
        name = str(_plain(kind, Name))
        arguments = _plain(arguments, tuple)
        self._spend(arguments)
        maker = self.vocabulary.makers.get(name)
        return Record(kind, arguments) if maker is None else maker(*arguments)

    def _spend(self, arguments: tuple):
        """Refuses to make of a few bytes, named again and again, more than a file has."""
        self.used += len(arguments) + sum(len(a) for a in arguments if isinstance(a, _SIZED))
        if self.used > 4 * (self.place - self.start) + 1000:
            raise RefusedFile("a pickle that uses the same bytes over and over")

    def _build(self, argument):
        state = self.stack.pop()
        target = self.stack[-1]
        if isinstance(target, Record):
            if type(state) is tuple:
                self._spend(state)
            target.state = state
        elif not isinstance(target, dict):  # of an OrderedDict, it would be attributes
            raise RefusedFile(f"it changes an object of type {type(target).__name__}")

    def _persid(self, argument):
        self.stack.append(self._stored(argument))

    def _binpersid(self, argument):
        self.stack.append(self._stored(self.stack.pop()))

    def _stored(self, key):
        if self.vocabulary.persistent is None:
            raise RefusedFile("it refers to objects outside of the file")
        return self.vocabulary.persistent(key)


def key(value) -> str:
    """What stands for `value` as a key of a dictionary or in a set, if it may be one: a text.

    Python hashes texts with a secret, but numbers so that a file can make all of them collide.
    """
    kind = type(value)
    if kind not in _KEYS:
        raise RefusedFile(f"a key of type {kind.__name__}")
    length = value.bit_length() if kind is int else len(value) if kind in (str, bytes) else 0
    if length > LONGEST_KEY:
        raise RefusedFile(f"a key that is a {kind.__name__} of length {length:,}")
    return value if kind is str else shown(value)


def _pairs(items: list) -> Iterator[tuple[str, Any]]:
    """Keys and values that follow each other."""
    return zip(map(key, items[::2]), items[1::2], strict=True)


def _plain(value, kind: type):
    """`value`, if it is of exactly this kind."""
    if type(value) is not kind:
        raise RefusedFile(f"a {kind.__name__} was expected, not a {type(value).__name__}")
    return value


_CONSTANTS = frozenset(
    (
        *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
        *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE"),
        *("BINUNICODE8", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
    )
)
# Of how many items on the stack operations make something new, None being those above a mark.
_COLLECTIONS = {
    "NONE": (lambda items: None, 0),
    "NEWTRUE": (lambda items: True, 0),
    "NEWFALSE": (lambda items: False, 0),
    "EMPTY_TUPLE": (tuple, 0),
    "TUPLE1": (tuple, 1),
    "TUPLE2": (tuple, 2),
    "TUPLE3": (tuple, 3),
    "TUPLE": (tuple, None),
    "EMPTY_LIST": (list, 0),
    "LIST": (list, None),
    "EMPTY_DICT": (dict, 0),
    "DICT": (lambda items: dict(_pairs(items)), None),
    "EMPTY_SET": (set, 0),
    "FROZENSET": (lambda items: frozenset(map(key, items)), None),
}
# What they add to, how many items, and how.
_ADDITIONS = {
    "APPEND": (list, 1, list.extend),
    "APPENDS": (list, None, list.extend),
    "ADDITEMS": (set, None, lambda target, items: target.update(map(key, items))),
    "SETITEM": (dict, 2, lambda target, items: target.update(_pairs(items))),
    "SETITEMS": (dict, None, lambda target, items: target.update(_pairs(items))),
}
