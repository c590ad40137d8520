"""The one exception that is meant for the user's eyes, and its most frequent case."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any


class UserError(ValueError):
    """A mistake that whoever gave the command can fix.

    The message says what was received, what was expected (or the nearest name), and how to
    fix it. Command lines print it without a traceback and exit with code 2.
    """


def first_line(error: Exception) -> str:
    """The first line of what an error says."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def unknown(kind: str, name: str, known: Iterable[str]) -> UserError:
    """The error for a `name` outside `known`, ready to raise: the nearest names, or all of them."""
    known = sorted(known)
    near = _nearest(name, known)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    listed = f" Known: {', '.join(known)}." if known and (len(known) <= 20 or not near) else ""
    return UserError(f"Unknown {kind} {name!r}.{hint}{listed}")


def choose(kind: str, name: str, table: Mapping[str, Any]) -> Any:
    """`table[name]`; raises the error of `unknown` for a name that it does not have."""
    if name not in table:
        raise unknown(kind, str(name), map(str, table))
    return table[name]


def choose_size(owner: str, image_size: int, table: Mapping[int, Any]) -> Any:
    """`table[image_size]`; raises UserError for pixels that `owner` has no networks for."""
    if image_size not in table:
        raise UserError(
            f"image_size {image_size}: {owner} has networks for {', '.join(map(str, table))}"
            " pixels; choose one of these"
        )
    return table[image_size]


def _nearest(name: str, known: list[str]) -> list[str]:
    """At most three names; of dotted names, first those that only miss the right prefix."""
    leaf = name.rsplit(".", 1)[-1]
    same_leaf = [other for other in known if other.endswith(f".{leaf}")]
    return same_leaf[:3] or difflib.get_close_matches(name, known)
