"""JSON as text: where values are, what a cut-off text tells, and edits that leave the rest alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate_plugins.importers._edits import Edit, applied, drop_member, set_member
from tiergate_plugins.importers._json_text import Node, head_value, scan, values_in

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)
records = st.dictionaries(st.text(max_size=4), values, min_size=1, max_size=4)
layouts = st.sampled_from([{}, {"indent": 2}, {"indent": "\t"}, {"separators": (",", ":")}])


def node_of(text: str) -> Node:
    node = scan(text)
    assert node is not None
    return node


def parts(value: Any, steps: tuple[int | str, ...] = ()) -> list[tuple[tuple[int | str, ...], Any]]:
    """Every value in a value, with the way to it."""
    inner: list[tuple[int | str, Any]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    return [(steps, value), *(part for step, one in inner for part in parts(one, (*steps, step)))]


@given(value=values, layout=layouts)
def test_every_value_is_found_where_it_stands(value: Any, layout: dict[str, Any]) -> None:
    text = json.dumps(value, **layout)
    node = node_of(text)
    for steps, inner in parts(value):
        found = node.at(steps)
        assert json.loads(text[found.start : found.end]) == inner


@given(value=records, layout=layouts, cut=st.integers(0, 200))
def test_what_is_cut_off_tells_what_came_before(value: Any, layout: dict[str, Any], cut: int) -> None:
    text = json.dumps(value, **layout)[: cut or None]
    begun = head_value(text)
    assert isinstance(begun, dict)
    whole = list(value.items())
    assert list(begun) == list(value)[: len(begun)]
    for name, inner in list(begun.items())[:-1]:
        assert inner == dict(whole)[name]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("]", None),
        ('{"a": 1, "b', {"a": 1}),
        ('{"a": [1, {"b": "c', {"a": [1, {}]}),
        ('\ufeff {"a": nul', {"a": "nul"}),
        ('{"a": 1, "a": 2}', {"a": 2}),
        ("[" * 100, []),
    ],
)
def test_the_beginning_of_a_text(text: str, expected: Any) -> None:
    found = head_value(text)
    while text.startswith("[[") and found:
        (found,) = found
    assert found == expected


def test_values_one_behind_the_other_are_found() -> None:
    text = '[1] {"a": 2}\n"x" 3 ['
    assert [text[start:end] for start, end in values_in(text)] == ["[1]", '{"a": 2}', '"x"', "3"]


@given(record=records, layout=layouts, name=st.text(max_size=4), value=values)
def test_a_field_is_set_and_taken_out_again(
    record: dict[str, Any], layout: dict[str, Any], name: str, value: Any
) -> None:
    text = f"[0, {json.dumps(record, **layout)} , 1]"
    node = node_of(text).at([1])
    new = applied(text, [set_member(text, node, name, value)])
    assert json.loads(new) == [0, {**record, name: value}, 1]
    gone = drop_member(node_of(new).at([1]), name)
    assert gone is not None
    left = {key: inner for key, inner in record.items() if key != name}
    assert json.loads(applied(new, [gone])) == [0, left, 1]
    if name not in record:
        assert applied(new, [gone]) == text


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ('{"a": 1}', [1, 2], '{"a": 1, "n": [1, 2]}'),
        ('{"a":1,"b":2}', {"k": [1, 2]}, '{"a":1,"b":2,"n":{"k":[1,2]}}'),
        ('{\n  "a": 1\n}', [1], '{\n  "a": 1,\n  "n": [\n    1\n  ]\n}'),
        ('{\r\n\t"a" : 1\r\n}', {"k": 1}, '{\r\n\t"a" : 1,\r\n\t"n" : {\r\n\t\t"k": 1\r\n\t}\r\n}'),
        ('{\n  "a": 1,\n  "n": [1, 2]\n}', [3, 4], '{\n  "a": 1,\n  "n": [3, 4]\n}'),
        ('{\n  "n": []\n}', [3], '{\n  "n": [\n    3\n  ]\n}'),
        ('{"n": "\\u00e4"}', "ö", '{"n": "\\u00f6"}'),
        ('{"n": "ä"}', "ö", '{"n": "ö"}'),
    ],
)
def test_a_field_is_laid_out_as_its_object_is(text: str, value: Any, expected: str) -> None:
    assert applied(text, [set_member(text, node_of(text), "n", value)]) == expected


def test_edits_that_overlap_are_refused() -> None:
    with pytest.raises(ValueError, match="overlap"):
        applied("abc", [Edit(0, 2, "x"), Edit(1, 3, "y")])


def test_a_field_that_is_not_there_is_not_taken_out() -> None:
    assert drop_member(node_of('{"a": 1}'), "b") is None
