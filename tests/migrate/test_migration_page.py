"""The page of a migration says what became of it, and nothing in it acts on the reader."""

from __future__ import annotations

import re
from typing import get_args, get_type_hints

import pytest
from msgspec.structs import replace

from tiergate.errors import UsageError
from tiergate.record import FieldDifference, MigrationRecord, RootHashes
from tiergate_reports.plugin import render

RECORD = MigrationRecord(
    id="20260101-000000-abcd",
    source="json:/work",
    target="sqlite:/work.db",
    state="verified",
    sessions=1200,
    tasks=60_000,
    bytes=30 * 2**20,
    verified=1200,
    root_hash=RootHashes(source="a" * 64, target="a" * 64),
    differences=[],
    seconds={"read": 1.5, "copy": 3.0, "verify": 1.0},
    updated_at="2026-01-01T00:00:00+00:00",
)
STATES = get_args(get_type_hints(MigrationRecord)["state"])


@pytest.mark.parametrize("state", STATES)
def test_every_state_has_a_page(state: str) -> None:
    page = render([replace(RECORD, state=state, binding="work", epoch=2)])
    assert page.startswith("<!doctype html>")
    assert len(re.findall(r'class="word"', page)) == 1


def test_what_was_moved_is_on_it() -> None:
    page = render([RECORD])
    for text in ("Nothing lost", "1,200", "60,000", "30.0 MiB", "a" * 64, "10.0 MiB/s", "No difference"):
        assert text in page


def test_differences_and_remarks_are_on_it() -> None:
    found = FieldDifference(session="s", task="t", field="title", source='"a"', target=None)
    record = replace(RECORD, state="failed", differences=[found], remarks=["<b>bold</b> \u202e remark"])
    page = render([record])
    assert "Not the same" in page
    assert "missing" in page
    assert "&lt;b&gt;bold&lt;/b&gt; \\u202e remark" in page
    assert "\u202e" not in page


def test_a_sample_has_no_hash_of_the_target() -> None:
    page = render(
        [replace(RECORD, verify="sample", verified=1000, root_hash=RootHashes(source="b" * 64, target=None))]
    )
    assert "1,000 of 1,200 sessions were read back" in page
    assert "not computed: only a sample" in page


def test_the_same_record_gives_the_same_page() -> None:
    assert render([RECORD]) == render([RECORD])


def test_one_page_shows_one_migration() -> None:
    with pytest.raises(UsageError, match="or one record of another kind"):
        render([RECORD, RECORD])
