"""A folder with a store of any kind, and plans to apply to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from tiergate.binding import NamedOpener
from tiergate.hooks import StoreDeclaration
from tiergate.matching import Matched, Plan
from tiergate.model import Session, Task
from tiergate.plugins import PluginHost
from tiergate.reconcile.applying import Applied, apply
from tiergate.reconcile.audit import Step
from tiergate.reconcile.merging import Merged, merge
from tiergate.reconcile.undoing import Undone, history, undo
from tiergate.store import Capability, Store, StoreAddress
from tiergate.store_front import StoreFront

HOST = PluginHost()
WITHOUT = frozenset({Capability.TRANSACTIONS, Capability.ONCE})


class PlainStore(StoreFront):
    """A store without transactions, which calls a function before each save."""

    def __init__(self, store: Store, before_save: Callable[[Session], None]) -> None:
        super().__init__(store)
        self.capabilities = store.capabilities - WITHOUT
        self._before_save = before_save

    def save(self, session: Session) -> int:
        self._before_save(session)
        return super().save(session)


@dataclass
class Desk:
    """A folder, what opens the stores in it, and one store to apply plans to.

    Attributes:
        address: of the store.
        before_save: called before each save to a store ``plain:DIR``, which has no transactions.
    """

    folder: Path
    scheme: str
    before_save: Callable[[Session], None] = lambda session: None

    def __post_init__(self) -> None:
        self.address = {
            "json": f"json:{self.folder}/work",
            "plain": f"plain:{self.folder}/work",
            "jsonfile": f"jsonfile:{self.folder}/work.json",
            "sqlite": f"sqlite:{self.folder}/work.db",
        }[self.scheme]
        known = HOST.opener()
        json = known.stores["json"]
        plain = StoreDeclaration(
            name="plain",
            summary="",
            open=lambda address: PlainStore(json.open(address), self._before),
            capabilities=json.capabilities - WITHOUT,
        )
        stores = {**known.stores, "plain": plain}
        self.opener = NamedOpener(stores, known.caches, state=self.folder / "state")

    def _before(self, session: Session) -> None:
        self.before_save(session)

    @property
    def ledger(self) -> Path:
        """The folder with the log and the backups."""
        [found] = (self.folder / "state" / "reconciliations").iterdir()
        return found

    def open(self) -> Store:
        """The store."""
        return self.opener.open(StoreAddress.parse(self.address))

    def save(self, *sessions: Session) -> None:
        """Write sessions as somebody else would."""
        with self.open() as store:
            there = store.versions()
            for session in sessions:
                store.save(replace(session, version=there.get(session.id, 0)))

    def content(self) -> dict[str, Session]:
        """Every session of the store, without versions."""
        with self.open() as store:
            return {name: replace(store.load(name), version=0) for name in store.ids()}

    def apply(self, *sessions: Session, **options: Any) -> Applied:
        """Apply a plan of these sessions."""
        return apply(self.opener, self.address, merged_of(*sessions), **options)

    def undo(self, **options: Any) -> Undone:
        """Undo."""
        return undo(self.opener, self.address, **options)

    def history(self) -> Sequence[Step]:
        """What was applied."""
        return history(self.opener, self.address)


def merged_of(*sessions: Session) -> Merged:
    """A merged plan of one source with these sessions."""
    return merge([Plan(source="plan.md", sessions=sessions)], Matched())


def made(name: str, *titles: str, **fields: Any) -> Session:
    """A session with one task a title."""
    tasks = tuple(Task(id=str(number), title=title) for number, title in enumerate(titles, 1))
    return Session(id=name, tasks=tasks, **fields)


def with_state(desk: Desk, state: Path) -> Desk:
    """The desk with its state folder elsewhere."""
    desk.opener = NamedOpener(desk.opener.stores, desk.opener.caches, state=state)
    return desk
