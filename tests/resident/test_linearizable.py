"""The checker itself: what it lets pass, and that it catches a stale read, a lost write and a doubled one."""

from __future__ import annotations

from math import inf
from random import Random

import pytest

from tiergate.testing.linearizable import Seen, linearize

READ, ADD = 0, 1


def test_operations_that_overlap_may_stand_in_any_order() -> None:
    history = [Seen(0, 10, ADD, 2), Seen(1, 9, ADD, 1), Seen(2, 8, READ, 0), Seen(3, 7, READ, 2)]
    order = linearize(history)
    assert order is not None
    assert [call.value for call in order] == [0, 1, 2, 2]


@pytest.mark.parametrize(
    "history",
    [
        [Seen(0, 1, ADD, 1), Seen(2, 3, READ, 0)],
        [Seen(0, 1, ADD, 1), Seen(2, 3, ADD, 2), Seen(2, 4, READ, 2), Seen(5, 6, READ, 1)],
        [Seen(0, 1, ADD, 1), Seen(0, 1, ADD, 1)],
        [Seen(0, 1, ADD, 1), Seen(2, 3, ADD, 3)],
        [Seen(0, 1, READ, 1)],
        [Seen(0, inf, ADD, None), Seen(1, 2, READ, 1), Seen(3, 4, READ, 0)],
    ],
    ids=["stale read", "read goes back", "lost write", "doubled write", "read from nowhere", "undone"],
)
def test_what_no_order_explains_is_caught(history: list[Seen]) -> None:
    assert linearize(history) is None


@pytest.mark.parametrize("value", [0, 1])
def test_a_write_without_an_answer_may_have_happened_or_not(value: int) -> None:
    assert linearize([Seen(0, inf, ADD, None), Seen(1, 2, READ, value)]) is not None


def test_histories_of_a_real_counter_pass_and_one_stale_answer_among_them_does_not() -> None:
    random = Random(5)
    for _ in range(30):
        history, count, now = [], 0, 0.0
        for _ in range(60):
            adds = random.choice((READ, ADD))
            count += adds
            now += 1
            # It takes effect at `now`, somewhere inside of what its caller saw.
            history.append(Seen(now - random.uniform(0, 4), now + random.uniform(0, 4), adds, count))
        assert linearize(history) is not None
        last = max(history, key=lambda call: call.began)
        late = Seen(now + 10, now + 11, READ, count - 1)
        assert last.ended < late.began
        assert linearize([*history, late]) is None


@pytest.mark.parametrize("happened", [0, 40])
def test_many_writes_without_an_answer_are_no_riddle(happened: int) -> None:
    lost = [Seen(number / 100, inf, ADD, None) for number in range(40)]
    later = [Seen(number, number + 0.5, READ, min(number - 1, happened)) for number in range(1, 60)]
    assert linearize([*lost, *later]) is not None
    assert linearize([*lost, *later, Seen(70, 71, READ, 41)]) is None
