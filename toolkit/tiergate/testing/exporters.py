"""The contract suite for exporters."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tiergate.errors import UsageError
from tiergate.hooks import ExporterDeclaration
from tiergate.record import Record


class ExporterContract:
    """Every promise of an `ExporterDeclaration`, tested against one exporter. Override both fixtures."""

    @pytest.fixture
    def declaration(self) -> ExporterDeclaration:
        """What the plugin declares. Override it."""
        pytest.fail("override the fixture `declaration`: return the ExporterDeclaration to test")

    @pytest.fixture
    def records(self) -> Sequence[Record]:
        """Records that it writes. Override it."""
        pytest.fail("override the fixture `records`: return records that the exporter writes")

    def test_it_writes_text(self, declaration: ExporterDeclaration, records: Sequence[Record]) -> None:
        text = declaration.render(records)
        assert isinstance(text, str), "ExporterDeclaration.render: the whole file as text"
        assert text, "ExporterDeclaration.render: the whole file as text"
        text.encode("utf-8")

    def test_the_same_records_give_the_same_text(
        self, declaration: ExporterDeclaration, records: Sequence[Record]
    ) -> None:
        assert declaration.render(records) == declaration.render(records), (
            "ExporterDeclaration.render: the same records give the same text"
        )

    def test_its_ending_begins_with_a_dot(self, declaration: ExporterDeclaration) -> None:
        assert declaration.suffix.startswith("."), "ExporterDeclaration.suffix: with the dot"
        assert len(declaration.suffix) > 1, "ExporterDeclaration.suffix: of the files that it writes"

    def test_no_record_at_all_is_refused_or_written(self, declaration: ExporterDeclaration) -> None:
        try:
            text = declaration.render([])
        except UsageError as error:
            refusal = str(error)
        else:
            assert isinstance(text, str), "ExporterDeclaration.render: the whole file as text"
            return
        assert "\n" not in refusal, "TiergateError: one line"
