"""The canonical form does not tell a number that was stated from the same one that nobody stated."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tiergate.canonical import session_hash
from tiergate.model import Session, Task, canonical, decode_session, decode_task

NUMBERS = st.sampled_from(["1.0", "1", "0.0", "0", "-0.0", "2.5", "1e0"])


@given(NUMBERS, NUMBERS)
def test_equal_numbers_have_equal_bytes(weight: str, momentum: str) -> None:
    read = decode_task(f'{{"id":"a","title":"t","weight":{weight},"momentum":{momentum}}}'.encode())
    made = Task(id="a", title="t", weight=float(weight), momentum=float(momentum))
    assert read == made
    assert canonical(read) == canonical(made)


def test_what_is_stated_is_what_is_not() -> None:
    stated = decode_session(b'{"id":"s","tasks":[{"id":"a","title":"t","weight":1.0,"momentum":0}]}')
    unstated = Session(id="s", tasks=(Task(id="a", title="t"),))
    assert stated == unstated
    assert canonical(stated) == canonical(unstated)
    assert session_hash(stated) == session_hash(unstated)


def test_other_numbers_stay() -> None:
    assert b'"weight":2.0' in canonical(Task(id="a", title="t", weight=2.0))
    assert b'"momentum":0.5' in canonical(Task(id="a", title="t", momentum=0.5))
