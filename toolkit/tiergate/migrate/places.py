"""Which stores a migration reads and writes, and that they are two."""

from __future__ import annotations

from pathlib import Path

from tiergate.doubts import require_undoubted
from tiergate.errors import UsageError
from tiergate.opening import Opener
from tiergate.store import Capability, Store, StoreAddress, Unsupported
from tiergate.store_places import place_of


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
