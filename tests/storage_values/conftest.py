"""Every kind of store, and what is awkward to carry."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NoReturn

import msgspec
import pytest

from tiergate.binding import NamedOpener
from tiergate.canonical import session_bytes
from tiergate.errors import UsageError
from tiergate.hooks import StoreDeclaration
from tiergate.migrate.engine import migrate
from tiergate.migrate.job import Job, resolved
from tiergate.model import Session, Task
from tiergate.plugins import PluginHost
from tiergate.record import MigrationRecord
from tiergate.store import Damage, SessionSize, Store, StoreAddress, StoreStats, TaskHit, TaskQuery

KINDS = {
    "json": "json:{}/work",
    "jsonfile": "jsonfile:{}/work.json",
    "sqlite": "sqlite:{}/work.db",
    "sqlite-normal": "sqlite:{}/work.db?durability=normal",
    "sqlite-packed": "sqlite:{}/work.db?body=zstd",
    "cached-sqlite": "zstd+sqlite:{}/work.db",
    "cached-json": "zstd+json:{}/work",
}
_MISSING: dict[str, str] = {}


class GivenStore(Store):
    """A source that gives what it was given, also what no store of ours would take."""

    def __init__(self, sessions: Iterable[Session]) -> None:
        self.sessions = {one.id: msgspec.structs.replace(one, version=1) for one in sessions}

    def load(self, session_id: str) -> Session:
        return self.sessions[session_id]

    def ids(self) -> list[str]:
        return sorted(self.sessions)

    def sizes(self) -> list[SessionSize]:
        return [SessionSize(name, len(one.tasks), 0) for name, one in sorted(self.sessions.items())]

    def verify(self) -> list[Damage]:
        return []

    def stats(self) -> StoreStats:
        return StoreStats(sessions=len(self.sessions), tasks=0, disk_bytes=0)

    def close(self) -> None:
        pass

    def save(self, session: Session) -> NoReturn:
        raise NotImplementedError(session.id)

    def upsert_tasks(self, session_id: str, tasks: Iterable[Task], *, expected_version: int) -> NoReturn:
        raise NotImplementedError(session_id, tasks, expected_version)

    def delete(self, session_id: str, *, expected_version: int) -> None:
        raise NotImplementedError(session_id, expected_version)

    def query(self, query: TaskQuery) -> list[TaskHit]:
        raise NotImplementedError(query)

    def transaction(self) -> AbstractContextManager[None]:
        raise NotImplementedError


class Stores:
    """Opens stores of every kind below a folder, and ``given:`` for the sessions in `given`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.given: list[Session] = []
        self._count = 0
        known = PluginHost().opener()
        given = StoreDeclaration(name="given", summary="", open=lambda _: GivenStore(self.given))
        self.opener = NamedOpener.of([*known.stores.values(), given], known.caches.values())

    def new(self, kind: str) -> str:
        """The address of a store of a kind that is not there yet; the test is skipped where none can be."""
        if kind not in _MISSING:
            _MISSING[kind] = self._missing(KINDS[kind].format(self._fresh()))
        if _MISSING[kind]:
            pytest.skip(_MISSING[kind])
        return KINDS[kind].format(self._fresh())

    def _fresh(self) -> Path:
        self._count += 1
        made = self.folder / f"{self._count}"
        made.mkdir()
        return made

    def _missing(self, address: str) -> str:
        try:
            self.opener.open(address).close()
        except UsageError as error:
            return str(error)
        return ""

    def open(self, address: str) -> Store:
        """Open a store."""
        return self.opener.open(address)

    def fill(self, address: str, sessions: Iterable[Session]) -> None:
        """Save sessions, all at once."""
        with self.open(address) as store, store.transaction():
            for session in sessions:
                store.save(session)

    def exported(self, address: str) -> bytes:
        """What ``tiergate sessions export`` writes: every session in canonical form, a line each."""
        with self.open(address) as store:
            return b"".join(session_bytes(store.load(name)) + b"\n" for name in store.ids())

    def move(self, source: str, target: str, **options: Any) -> MigrationRecord:
        """Migrate."""
        opener = self.opener
        here, there = resolved(opener, source, role="source"), resolved(opener, target, role="target")
        return migrate(Job(source=here, target=there, opener=opener, **options))

    def path(self, address: str) -> Path:
        """Where the store at an address is."""
        return Path(StoreAddress.parse(address).path)


def exported(sessions: Iterable[Session]) -> bytes:
    """What an export of these sessions must be."""
    return b"".join(session_bytes(one) + b"\n" for one in sorted(sessions, key=lambda one: one.id))


@pytest.fixture
def stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stores:
    """Stores below an empty working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TIERGATE_STATE", raising=False)
    return Stores(tmp_path)


@pytest.fixture
def export_of() -> Callable[[Iterable[Session]], bytes]:
    """What an export of sessions must be."""
    return exported


@pytest.fixture(params=[*KINDS])
def kind(request: pytest.FixtureRequest) -> str:
    """A kind of store."""
    found: str = request.param
    return found


def _deep(levels: int) -> Any:
    value: Any = "bottom"
    for level in range(levels):
        value = [value] if level % 2 else {"d": value}
    return value


_TEXTS = {
    "nul": "before\0after\0",
    "only nul": "\0",
    "emoji": "\U0001f680\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f3f3\ufe0f\u200d\U0001f308",
    "right to left": "\u202e\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627\u202c",
    "combining": "e\u0301 Z\u0351\u036b\u0343\u036a\u0302 \u0e01\u0e33 \u1112\u1161\u11ab",
    "composed": "\u00e9",
    "decomposed": "e\u0301",
    "controls": "".join(map(chr, [*range(1, 32), 127, 0x85, 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF])),
    "last": "\U0010ffff\ue000",
    "json": '{"id": "s"}\n\\u0000 \\ud800 </script>',
    "sql": "'; DROP TABLE task; -- %_*?",
}
_PATHS = "|.|..|/|a/b|a\\b|../../up|/etc/passwd|~|~root|-|%2e|a%2Fb|a?b=c|con|nul|x.json|x.tmp|store.db"
_FOLDED = "CASE|case|Case|\u00c9|E\u0301|\u0130|i\u0307|\ufb01|fi|\u2126|\u03a9"
_BLANK = " |a | a|a.|\n|\u200b|\ufeff|0|00|1|1.0|true"
_LONG = ("x" * 5000, "x" * 4999 + "y", "\U0001f680" * 1250)
_IDS = (*_PATHS.split("|"), *_FOLDED.split("|"), *_BLANK.split("|"), *_LONG, *_TEXTS.values())
_FLOATS = (5e-324, 2.2250738585072014e-308, 1e308, 1.7976931348623157e308, -0.0, 0.0, 0.1, 0.1 + 0.2, 1e22)
_INTEGERS = (2**53 + 1, 2**63 - 1, 2**64 - 1, 2**64, -(2**63) - 1, 2**70, 10**100, -(10**1000))


def _make_values() -> dict[str, list[Session]]:
    def one(name: str, *tasks: Task, **changes: Any) -> Session:
        return Session(id=name, tasks=tasks, **changes)

    floats = [
        Task(id=f"f{n}", title="F", weight=abs(x), momentum=x, extra={"f": x, "list": [x, -x]})
        for n, x in enumerate(_FLOATS)
    ]
    extra = {
        "unknown": {"nested": {"deeper": [1, [2.5, {"": None}], True, "x"]}, "empty": {}, "list": []},
        "title": "mine",
        "id": 7,
        "version": 99,
        "tasks": ["a"],
        "extra": {"extra": {"extra": {}}},
        "deep": _deep(100),
        "": "",
    }
    texts = [
        Task(
            id=text,
            title=text,
            notes=text * 3,
            dependencies=(text, text),
            labels=(text, ""),
            created_at=text,
            updated_at=text,
            source_status=text,
            extra={text: text, "in": [text]},
        )
        for text in _TEXTS.values()
    ]
    return {
        "floats": [one("floats", *floats)],
        "integers": [
            one(
                "integers",
                *(Task(id=f"i{n}", title="I", extra={"i": i, "l": [i]}) for n, i in enumerate(_INTEGERS)),
                extra={"i": list(_INTEGERS)},
            )
        ],
        "unknown fields": [
            one("extra", Task(id="t", title="T", extra=extra), Task(id="u", title="U"), extra=extra)
        ],
        "texts": [one("texts", *texts, title=_TEXTS["nul"], extra=dict.fromkeys(_TEXTS.values(), 1))],
        "session ids": [one(name, Task(id=name, title=name), title=name) for name in _IDS],
        "task ids": [one("ids", *(Task(id=name, title="T", dependencies=(name,)) for name in _IDS))],
        "no tasks": [one("empty"), one("with a title", title="only")],
        "no sessions": [],
    }


@pytest.fixture(scope="session")
def values() -> dict[str, list[Session]]:
    """Sessions that are awkward, by what is awkward about them."""
    return _make_values()


@pytest.fixture(scope="session")
def every_value(values: dict[str, list[Session]]) -> list[Session]:
    """All of them."""
    return [one for some in values.values() for one in some]
