"""Which stores a migration reads and writes, and that they are two."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from tiergate.doubts import require_undoubted
from tiergate.errors import UsageError
from tiergate.opening import Opener
from tiergate.store import Capability, Store, StoreAddress, StoreError, Unsupported


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


def require_apart(source: StoreAddress, target: StoreAddress) -> None:
    """Refuse a target that is the source, whatever their addresses look like, or lies in it.

    Raises:
        UsageError: it is, or does.
    """
    one, other = Path(source.path), Path(target.path)
    here, there = one.resolve(), other.resolve()
    same = here == there or (one.exists() and other.exists() and one.samefile(other))
    if same or place_of(source) == place_of(target):
        raise UsageError("source and target are the same store", where=str(target), hint="name another one")
    if here.is_dir() and here in there.parents:
        raise UsageError(
            f"the target lies in the source {source}, which is only read",
            where=str(target),
            hint="name a place outside of it",
        )


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


def open_source(opener: Opener, source: StoreAddress, *, strictly: bool = False) -> Store:
    """Open a source to read it.

    Args:
        strictly: refuse a kind of store that cannot be opened without being changed.

    Raises:
        StoreError: it cannot be opened; Unsupported for one that is refused.
        StoreDamaged: it may have lost writes, and its address does not accept that.
    """
    if strictly and Capability.READ_ONLY not in opener.declaration(source).capabilities:
        raise Unsupported(
            "this kind of store cannot be opened read-only, so nothing can be tried",
            where=str(source),
            hint="leave out --dry-run",
        )
    store = opener.open_read_only(source)
    try:
        require_undoubted(store)
    except BaseException:
        store.close()
        raise
    return store
