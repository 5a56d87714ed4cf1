"""The contract suite for operations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tiergate.errors import TiergateError
from tiergate.hooks import OperationDeclaration
from tiergate.model import Session, Status, Task, canonical
from tiergate.operation import Scope
from tiergate.plugins import PluginHost
from tiergate.store import Store

SESSIONS = (
    Session(
        id="one",
        tasks=(
            Task(id="a", title="Write the parser", notes="It reads a header first.", status=Status.COMPLETED),
            Task(id="b", title="Write the index", dependencies=("a",), weight=2.0),
            Task(id="c", title="Read the index", dependencies=("b",), status=Status.ACTIVE),
        ),
    ),
    Session(id="two", tasks=(Task(id="a", title="Draw the report"),)),
    Session(id="empty"),
)
"""What the store of a test holds."""

Arguments = Mapping[str, Any]


class OperationContract:
    """Every promise of an `OperationDeclaration`, tested against one operation.

    Subclass it, and override the fixtures ``declaration`` and ``calls``::

        class TestMyOperation(OperationContract):
            @pytest.fixture
            def declaration(self) -> OperationDeclaration:
                return MY_OPERATION

            @pytest.fixture
            def calls(self) -> list[Arguments]:
                return [{}, {"status": "queued"}]
    """

    @pytest.fixture
    def declaration(self) -> OperationDeclaration:
        """What the plugin declares. Override it."""
        pytest.fail("override the fixture `declaration`: return the OperationDeclaration to test")

    @pytest.fixture
    def calls(self) -> Sequence[Arguments]:
        """Arguments that it serves on the session of the fixture `session`, of `SESSIONS`. Override it."""
        pytest.fail("override the fixture `calls`: return arguments that the operation serves")

    @pytest.fixture
    def session(self) -> str:
        """The session that requests name. Override it for an operation that makes one."""
        return "one"

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        """A store that holds `SESSIONS`."""
        with PluginHost().opener().open(f"sqlite:{tmp_path / 'store.db'}") as opened:
            for session in SESSIONS:
                opened.save(session)
            yield opened

    def test_results_can_be_sent(
        self, declaration: OperationDeclaration, calls: Sequence[Arguments], store: Store, session: str
    ) -> None:
        for arguments in calls:
            result = self.run(declaration, store, arguments, session)
            packed = msgspec.msgpack.encode(result)
            assert msgspec.json.encode(msgspec.msgpack.decode(packed)), (
                "OperationDeclaration.run: returns plain JSON values or structs"
            )

    def test_one_that_only_reads_changes_nothing_and_answers_the_same_again(
        self, declaration: OperationDeclaration, calls: Sequence[Arguments], store: Store, session: str
    ) -> None:
        if declaration.writes:
            pytest.skip("OperationDeclaration.writes is True")
        before = _contents(store)
        for arguments in calls:
            first = msgspec.json.encode(self.run(declaration, store, arguments, session))
            assert _contents(store) == before, "OperationDeclaration.writes: False changes nothing"
            if declaration.cached:
                assert msgspec.json.encode(self.run(declaration, store, arguments, session)) == first, (
                    "OperationDeclaration.cached: depends on nothing but the store and its arguments"
                )

    def test_one_that_writes_changes_something(
        self, declaration: OperationDeclaration, calls: Sequence[Arguments], store: Store, session: str
    ) -> None:
        if not declaration.writes:
            pytest.skip("OperationDeclaration.writes is False")
        before = _contents(store)
        for arguments in calls:
            self.run(declaration, store, arguments, session)
        assert _contents(store) != before, "OperationDeclaration.writes: True changes the store"
        assert not declaration.cached, "OperationDeclaration.cached: only of what reads"

    def test_arguments_are_converted_strictly(self, declaration: OperationDeclaration) -> None:
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({"there is no such argument": 1}, declaration.arguments)
        assert issubclass(declaration.arguments, msgspec.Struct), (
            "OperationDeclaration.arguments: struct type of the arguments"
        )

    def test_how_much_is_read_is_told_beforehand(
        self, declaration: OperationDeclaration, calls: Sequence[Arguments]
    ) -> None:
        for arguments in calls:
            scope = declaration.scope(msgspec.convert(arguments, declaration.arguments))
            assert isinstance(scope, Scope), "OperationDeclaration.scope: a `Scope`"

    def test_a_session_that_there_is_not_is_refused(
        self, declaration: OperationDeclaration, calls: Sequence[Arguments], store: Store
    ) -> None:
        if not declaration.needs_session or declaration.writes:
            pytest.skip("it needs no session that is there")
        for arguments in calls:
            with pytest.raises(TiergateError):
                self.run(declaration, store, arguments, "there is none of this name")

    def test_its_name_and_summary_fit_a_list(self, declaration: OperationDeclaration) -> None:
        assert declaration.summary, "Declaration.summary: one line, for lists"
        assert "\n" not in declaration.summary, "Declaration.summary: one line, for lists"

    @staticmethod
    def run(declaration: OperationDeclaration, store: Store, arguments: Arguments, session: str) -> Any:
        """Call it as a worker does."""
        converted = msgspec.convert(arguments, declaration.arguments)
        return declaration.run(store, session, converted)


def _contents(store: Store) -> list[bytes]:
    return [canonical(store.load(name)) for name in sorted(store.ids())]
