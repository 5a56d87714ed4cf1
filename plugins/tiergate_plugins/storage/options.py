"""What the addresses of all stores here have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tiergate.errors import UsageError, unknown_name
from tiergate.store import StoreAddress

_DURABILITIES = {"full": True, "normal": False}
_MODES = {"rw": False, "ro": True}


@dataclass(frozen=True, slots=True)
class Options:
    """What an address says.

    Attributes:
        path: absolute.
        durable: whether a write must survive the loss of power.
        read_only: whether no file may be made or changed.
    """

    path: Path
    durable: bool
    read_only: bool


def read_options(address: StoreAddress, thing: str, known: Sequence[str] = ()) -> Options:
    """Read the path and the options of an address.

    Args:
        thing: what the path names, for the error: ``FILE`` or ``DIR``.
        known: names of further options.

    Raises:
        UsageError: the path is missing or cannot be one, or an option is unknown.
    """
    address.require_options(("durability", "mode", *known))
    if not address.path:
        raise UsageError(
            "the address names no path", where=str(address), hint=f"write {address.scheme}:{thing}"
        )
    if "\0" in address.path:
        raise UsageError("a path cannot hold a NUL character", where=repr(str(address)))
    return Options(
        Path(address.path).absolute(),
        choice(address, "durability", "full", _DURABILITIES),
        choice(address, "mode", "rw", _MODES),
    )


def choice(address: StoreAddress, name: str, default: str, choices: dict[str, bool]) -> bool:
    """What the word that an option is given stands for.

    Raises:
        UsageError: it is none of the choices.
    """
    word = address.options.get(name, default)
    if word not in choices:
        raise unknown_name(name, word, choices, where=str(address))
    return choices[word]
