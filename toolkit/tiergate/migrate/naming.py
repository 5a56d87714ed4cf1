"""Binding a name for the first time, and setting it free."""

from __future__ import annotations

from tiergate.binding import SCHEME, Binding, Bindings, NamedOpener
from tiergate.errors import UsageError
from tiergate.migrate.journal import Journals
from tiergate.migrate.running import Holder, Running
from tiergate.store import Capability, StoreAddress
from tiergate.store_places import look_into, place_of


def bind_first(opener: NamedOpener, name: str, address: StoreAddress) -> Binding:
    """Bind a name that is bound to nothing yet, to a store that is there.

    Raises:
        UsageError: it is bound to another store, or cannot be a name; or there is no store.
        StoreError: the store cannot be opened.
    """
    bindings = Bindings(opener.state)
    with bindings.changing(name):
        before = bindings.find(name)
        if before is None:
            _require_there(opener, address)
            return bindings.put(name, address, before=None)
    if place_of(StoreAddress.parse(before.address)) == place_of(address):
        return before
    raise UsageError(
        f"{SCHEME}:{name} is bound to {before.address}",
        hint=f"`tiergate migrate {SCHEME}:{name} NEW --bind {name}` moves its sessions to a new store;"
        f" `tiergate migrate unbind {name}` sets the name free",
    )


def unbind(opener: NamedOpener, name: str) -> Binding:
    """Bind a name to nothing; no store is changed. Returns what it was bound to.

    Who has opened a store by the name can write through it no more, also when the name is bound again.

    Raises:
        UsageError: it is bound to nothing.
        Running: a migration moves what it is bound to, or would bind it.
        Busy: a writer does not end its transaction.
    """
    bindings = Bindings(opener.state)
    bindings.read(name)  # before a lock file is made for a misspelt name
    with bindings.changing(name):
        bound = bindings.read(name)
        for holder in Journals(opener.state).locks.running():
            if _concerns(holder, bound):
                raise Running(
                    f"a migration of it is running ({holder}); the name stays bound",
                    where=f"{SCHEME}:{name}",
                    hint="wait for it to end, or stop it",
                )
        bindings.remove(bound)
    return bound


def _concerns(holder: Holder, bound: Binding) -> bool:
    place = place_of(StoreAddress.parse(bound.address))
    return bound.name == holder.binding or place in {holder.source_place, holder.target_place}


def _require_there(opener: NamedOpener, address: StoreAddress) -> None:
    """Refuse to bind a name to nothing: a slip of the pen would show when the sessions are missed."""
    if Capability.READ_ONLY not in opener.declaration(address).capabilities:
        opener.open(address).close()
    elif look_into(opener, address.without_caches()) is None:
        raise UsageError(
            "there is no store here to bind a name to",
            where=str(address),
            hint="check the address; `tiergate import` and `tiergate migrate` make stores",
        )
