"""Tables that fit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tiergate.cli.output import NARROWEST_COLUMN, table

ROWS = [("alpha", "1", "one two three four five six"), ("be", "22", "")]


def test_without_a_limit_nothing_is_wrapped() -> None:
    assert table(("NAME", "N", "TEXT"), ROWS) == [
        "NAME   N   TEXT",
        "alpha  1   one two three four five six",
        "be     22",
    ]


def test_the_last_column_is_wrapped_to_fit() -> None:
    assert table(("NAME", "N", "TEXT"), ROWS, width=11 + NARROWEST_COLUMN) == [
        "NAME   N   TEXT",
        "alpha  1   one two three four",
        "           five six",
        "be     22",
    ]


def test_where_it_cannot_fit_each_row_is_a_block() -> None:
    assert table(("NAME", "N", "TEXT"), ROWS, width=20) == [
        "alpha",
        "  n: 1",
        "  text: one two",
        "    three four five",
        "    six",
        "be",
        "  n: 22",
    ]


CELL = st.text("ab ", max_size=30).map(lambda text: " ".join(text.split()))


@given(st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=4), st.integers(12, 120))
def test_no_line_is_wider_than_the_terminal_and_no_word_is_lost(
    rows: list[tuple[str, str, str]], width: int
) -> None:
    lines = table(("A", "B", "C"), rows, width)
    assert all(len(line) <= width for line in lines)
    letters = "".join("".join(row) for row in rows).replace(" ", "")
    shown = "".join(lines).replace(" ", "")
    assert sorted(letters) == sorted(
        letter for letter in shown.replace("b:", "").replace("c:", "") if letter in "ab"
    )
