"""What to do with a store that may have lost writes, for those who pass on what it holds as all there is."""

from __future__ import annotations

from tiergate.store import Store, StoreDamaged


def require_undoubted(store: Store) -> None:
    """Refuse a store that may have lost writes.

    Raises:
        StoreDamaged: it may, and its address does not accept that; names the first place.
    """
    for one in store.doubts():
        if not one.accepted:
            raise StoreDamaged(one.what, where=one.where, hint=one.hint)
