"""What the addresses of both stores have in common."""

from __future__ import annotations

from pathlib import Path

from tiergate.errors import UsageError, unknown_name
from tiergate.store import StoreAddress

_DURABILITIES = {"full": True, "normal": False}


def path_and_durability(address: StoreAddress, thing: str) -> tuple[Path, bool]:
    """The absolute path that an address names, and whether a write must survive the loss of power.

    Args:
        thing: what the path names, for the error: ``FILE`` or ``DIR``.

    Raises:
        UsageError: the path is missing or cannot be one, or an option is unknown.
    """
    address.require_options(("durability",))
    if not address.path:
        raise UsageError(
            "the address names no path", where=str(address), hint=f"write {address.scheme}:{thing}"
        )
    if "\0" in address.path:
        raise UsageError("a path cannot hold a NUL character", where=repr(str(address)))
    durability = address.options.get("durability", "full")
    if durability not in _DURABILITIES:
        raise unknown_name("durability", durability, _DURABILITIES, where=str(address))
    return Path(address.path).absolute(), _DURABILITIES[durability]
