"""Where stores are: addresses that mean the same from any folder, and names for places."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from tiergate.opening import Opener
from tiergate.store import Capability, StoreAddress, StoreError, Unsupported


def fixed(opener: Opener, address: StoreAddress) -> StoreAddress:
    """The address so that it means the same from any folder.

    Only a store of files can be opened read-only; the paths of others may be no paths of files, and are left.

    Raises:
        UsageError: it names a kind of store that is not known.
    """
    files = Capability.READ_ONLY in opener.declaration(address).capabilities
    if not files or not address.path:
        return address
    return StoreAddress(address.scheme, str(Path(address.path).absolute()), address.options, address.caches)


def place_of(address: StoreAddress) -> str:
    """Names where a store is, whatever way leads there: links are followed, options left out.

    Args:
        address: as `fixed` gives it.
    """
    path = Path(address.path)
    return f"{address.scheme}:{path.resolve() if path.is_absolute() else address.path}"


def short_name(place: str) -> str:
    """A file name for a place."""
    return hashlib.sha256(place.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def look_into(opener: Opener, target: StoreAddress) -> Mapping[str, int] | None:
    """The versions of the sessions in a target, without changing or making a file; None where nothing is.

    Raises:
        StoreError: something is there that cannot be opened.
        Unsupported: this kind of store cannot be opened without being changed, and something is there.
    """
    there = Path(target.path).exists()
    if Capability.READ_ONLY not in opener.declaration(target).capabilities:
        if not there:
            return None
        raise Unsupported("this kind of store cannot be looked into without opening it to write")
    try:
        store = opener.open_read_only(target)
    except StoreError:
        if there and not _is_hollow(Path(target.path)):
            raise
        return None
    with store:
        return store.versions()


def _is_hollow(path: Path) -> bool:
    """Whether there is a file or folder with nothing in it, which a store will be made in."""
    if path.is_dir():
        return not any(path.iterdir())
    return path.is_file() and path.stat().st_size == 0
