"""The page of a profile and of the difference between two: what is shown is what the records say."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from parsed_page import Page
from profile_page_desk import FRAMES, make_profile, stack

from tiergate.errors import UsageError
from tiergate.profile_record import ProfileFrame, ProfileRecord
from tiergate_reports.charts.flame import shade
from tiergate_reports.plugin import render
from tiergate_reports.profile import differing, tree

MARKUP = "</script><b title='x'>&amp;"


def calls(page: str) -> list[tuple[float, float, float]]:
    """Left edge and width in percent, and place from above, of every call that is drawn."""
    return [
        (float((one["x"] or "").rstrip("%")), float((one["width"] or "").rstrip("%")), float(one["y"] or 0))
        for one in Page(page).all("svg")
        if one.get("class") == "call"
    ]


def test_what_is_shown_is_what_the_record_says() -> None:
    page = Page(render([make_profile()]))
    assert "The part that works most is search: 90.0 % of all work, 74.0 % of the time" in page.words(
        "summary"
    )
    assert (
        "The hottest function is _cosine (tiergate_plugins/operations/search.py:79): 50.0 %" in page.words()
    )
    assert "from 13.9 ms on, spend 25.0 % of their time outside of a worker" in page.words("summary")
    assert "×1.25 (95 %: 1.20 to 1.30)" in page.words("summary")
    assert "Sampling made requests slow." in page.words("summary")
    assert "search 0.900 s 90.0 % 74.0 % 0.900 s wire 0.100 s 10.0 % 0 %" in page.words("parts")
    assert "_cosine tiergate_plugins/operations/search.py:79 search 0.500 s 50.0 % 40.0 %" in page.words()
    assert "search 1,500 0.900 s ×1.40" in page.words("operations")
    assert "cold-1 cold 2,900 0.900 s 2.00 s 1" in page.words("processes")
    assert "tiergate profile" in page.words("made")


def test_a_call_is_as_wide_as_its_time_and_lies_below_its_caller() -> None:
    page = render([make_profile()])
    graph = page[page.index("by-operation-d") : page.index('id="by-worker-t"')]
    assert sorted(calls(page)[: graph.count('class="call"')]) == [
        (0.0, 10.0, 20.0),  # the coordinator, by its name before the operation
        (0.0, 10.0, 40.0),
        (0.0, 100.0, 0.0),
        (10.0, 30.0, 80.0),
        (10.0, 80.0, 60.0),
        (10.0, 90.0, 20.0),
        (10.0, 90.0, 40.0),
    ]


def test_workers_stand_below_their_tier() -> None:
    root = tree.by_worker(make_profile())
    assert {name for name, _ in root.calls} == {"coordinator", "cold"}
    [worker] = root.calls["cold", ""].calls.values()
    [operation] = worker.calls.values()
    assert (worker.name, operation.name) == ("cold-1", "search")
    assert operation.value == pytest.approx(0.9)


def test_names_with_markup_are_shown_as_they_are() -> None:
    frames = [*FRAMES[:3], ProfileFrame(function=MARKUP, file=MARKUP, line=1)]
    record = make_profile(frames=frames, command=["tiergate", MARKUP], remarks=[MARKUP], store=MARKUP)
    page = render([record])
    assert MARKUP not in page
    assert MARKUP in Page(page).words("made")
    assert page.count("<script>") == 1


def test_the_policy_allows_the_one_script_and_no_other() -> None:
    page = Page(render([make_profile()]))
    [policy] = [one["content"] or "" for one in page.all("meta") if one.get("http-equiv")]
    assert "default-src 'none'" in policy
    assert policy.count("script-src 'sha256-") == 1
    assert "unsafe" not in policy


def test_nothing_at_work_is_said() -> None:
    record = make_profile(
        components=[], hot_spots=[], operations=[], stacks=[stack(0, "", [3], "idle", 1.0)], tail=None
    )
    words = Page(render([record])).words()
    assert "Nothing was seen at work" in words
    assert "No function was seen." in words


def later(**changes: object) -> ProfileRecord:
    """Half of the requests in half of the time but for `log`, which takes twice as long for each."""
    stacks = [
        stack(0, "", [3], "wire", 0.05),
        stack(1, "search", [0], "search", 0.05),
        stack(1, "search", [0, 1], "search", 0.25),
        stack(1, "search", [0, 1, 2], "search", 0.3),
    ]
    record = make_profile(stacks=stacks, **changes)
    [operation] = record.operations
    return replace(record, operations=[replace(operation, requests=750)])


def test_a_difference_is_for_as_many_requests() -> None:
    changes = {one.name: one for one in differing.function_changes(later(), make_profile())}
    assert changes["_cosine"].before == pytest.approx(1000 * 0.5 / 1.5)
    assert changes["_cosine"].more == pytest.approx(0.0)
    assert changes["log"].before == pytest.approx(200.0)
    assert changes["log"].after == pytest.approx(400.0)
    assert next(iter(changes)) == "log"
    words = Page(render([make_profile(), later()])).words()
    assert "log <built-in> 200 ms 400 ms +200 ms" in words
    assert "What grew most is log (<built-in>): +200 ms." in words
    assert "What shrank most is" not in words


def test_a_difference_is_warm_where_time_was_added() -> None:
    root = tree.difference(later(), make_profile())
    search = root.calls["search", ""].calls["search", FRAMES[0].file]
    log = search.calls["_cosine", FRAMES[1].file].calls["log", "<built-in>"]
    assert (log.value, log.base) == (pytest.approx(0.3), pytest.approx(0.15))
    assert (search.calls["_cosine", FRAMES[1].file].base) == pytest.approx(0.4)
    page = render([make_profile(), later()])
    assert 'class="slower5"' in page
    assert 'class="faster' not in page
    assert (shade(0.0001), shade(0.05), shade(-0.2)) == ("calm", "slower4", "faster5")


def test_a_function_that_moved_in_its_file_is_the_same() -> None:
    moved = [replace(frame, line=frame.line + 10) for frame in FRAMES]
    changes = differing.function_changes(make_profile(frames=moved), make_profile())
    assert [one.more for one in changes] == [0.0] * 4


def test_what_differs_besides_is_warned_of() -> None:
    other = later(router="learned", profiler="thread")
    found = list(differing.warnings(other, make_profile()))
    assert found == [
        "The router differs: size-heuristic before, learned after.",
        "The profiler differs: pyinstrument before, thread after.",
    ]
    assert found[0] in Page(render([make_profile(), other])).words("summary")


def test_three_profiles_make_no_page() -> None:
    with pytest.raises(UsageError, match="or an earlier and a later profile record"):
        render([make_profile()] * 3)


def test_a_stack_deeper_than_a_function_may_call_itself_is_drawn() -> None:
    frames = [ProfileFrame(function=f"call_{n}", file="f.py", line=n) for n in range(1, 1501)]
    deep = make_profile(
        frames=[*FRAMES, *frames], stacks=[stack(1, "search", [*range(4, 1504)], "search", 1.0)]
    )
    assert len(calls(render([deep]))) == 2 * 1504 - 2
    assert 'class="calm"' in render([deep, deep])
