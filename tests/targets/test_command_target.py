"""Any command as a target: answered by id, failed by name, and never a hang."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

import pytest

from tiergate.errors import RunError, UsageError
from tiergate.load.outcome import Fate, Round
from tiergate.target import TargetSetup
from tiergate_plugins.targets.command import open_command

pytestmark = pytest.mark.integration

Drive = Callable[..., Round]
STARTS = [0.002 * number for number in range(50)]
ECHO = "serve(echo)"


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def has_life(pid: int) -> bool:
    """Whether a process still runs; one that ended and was not reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return not is_gone(pid)


def pids(done: Round) -> list[int]:
    return [int(event.detail.removeprefix("process ")) for event in done.events if event.kind == "spawn"]


def test_every_request_is_answered_by_one_of_the_copies(drive: Drive) -> None:
    done = drive(ECHO, STARTS, copies=3)
    assert {outcome.fate for outcome in done.outcomes} == {Fate.COMPLETED}
    assert [outcome.request for outcome in done.outcomes] == list(range(50))
    assert {outcome.worker for outcome in done.outcomes} <= {"copy-1", "copy-2", "copy-3"}
    assert {outcome.tier for outcome in done.outcomes} == {None}
    assert all(0 < outcome.service_s <= outcome.response_s for outcome in done.outcomes)
    assert len(pids(done)) == 3
    assert all(map(is_gone, pids(done)))
    assert done.usage.cpu_s > 0
    assert done.usage.peak_rss_bytes > 1_000_000


def test_answers_may_come_in_any_order_and_say_how_long_they_took(drive: Drive) -> None:
    body = """
held = []
def answer(asked):
    if asked["id"] < 0:
        yield from echo(asked)
        return
    held.append(asked["id"])
    if len(held) == 5:
        for number in reversed(held):
            yield {"id": number, "result": None, "service_ms": number + 0.5}
        held.clear()
serve(answer)
"""
    done = drive(body, STARTS)
    assert {outcome.fate for outcome in done.outcomes} == {Fate.COMPLETED}
    assert [round(1000 * outcome.service_s - 0.5) for outcome in done.outcomes] == list(range(50))


def test_a_refusal_is_a_failure_with_its_words(drive: Drive) -> None:
    body = """
def answer(asked):
    yield {"id": asked["id"], "error": "no such task"} if asked["id"] == 3 else {"id": asked["id"]}
serve(answer)
"""
    done = drive(body, STARTS)
    failed = [outcome for outcome in done.outcomes if outcome.fate is not Fate.COMPLETED]
    assert [(one.request, one.fate, one.reason) for one in failed] == [
        (3, Fate.FAILED, "Refused: no such task")
    ]


def test_a_crash_fails_what_the_copy_held_by_name_and_another_copy_goes_on(drive: Drive) -> None:
    body = """
def answer(asked):
    if asked["id"] == 10:
        print("out of cheese", file=sys.stderr, flush=True)
        os._exit(7)
    yield from echo(asked)
serve(answer)
"""
    done = drive(body, STARTS)
    fates = Counter(outcome.fate for outcome in done.outcomes)
    assert fates[Fate.COMPLETED] + fates[Fate.FAILED] == 50
    assert done.outcomes[10].fate is Fate.FAILED
    assert done.outcomes[10].reason == "TargetDied: copy-1 ended (exit code 7 (out of cheese))"
    assert all("TargetDied: " in one.reason for one in done.outcomes if one.fate is Fate.FAILED)
    assert [event.kind for event in done.events] == ["spawn", "exit", "spawn"]
    assert all(map(is_gone, pids(done)))


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ('"this is no answer"', "wrote a line that is no answer: 'this is no answer'"),
        ('{"result": 1}', "wrote a line that is no answer"),
        ('{"id": 4711}', "answered request 4711, which it does not hold"),
    ],
)
def test_a_line_that_is_no_answer_is_a_failure_by_name(drive: Drive, said: str, why: str) -> None:
    body = f"""
def answer(asked):
    if asked["id"] == 10:
        yield {said}
    else:
        yield from echo(asked)
serve(answer)
"""
    done = drive(body, STARTS)
    assert done.outcomes[10].fate is Fate.FAILED
    assert f"BadAnswer: copy-1 {why}" in done.outcomes[10].reason
    assert done.outcomes[-1].request == 49
    assert any(why in event.detail for event in done.events if event.kind == "exit")


def test_a_command_that_never_answers_times_out_and_leaves_nothing(drive: Drive) -> None:
    done = drive("for line in sys.stdin: pass", STARTS[:5], deadline_s=0.2, warm_up=0)
    assert all("task_get took longer than 0." in outcome.reason for outcome in done.outcomes)
    assert all(outcome.fate is Fate.TIMED_OUT for outcome in done.outcomes)
    assert all(outcome.response_s >= 0.2 for outcome in done.outcomes)
    assert all(map(is_gone, pids(done)))


def test_a_copy_that_keeps_crashing_is_given_up_and_every_request_still_lands(drive: Drive) -> None:
    body = """
def answer(asked):
    if asked["id"] < 0:
        yield from echo(asked)
    else:
        os._exit(1)
serve(answer)
"""
    done = drive(body, [0.2 * number for number in range(10)])
    assert {outcome.fate for outcome in done.outcomes} == {Fate.FAILED}
    assert "no copy of the command is running" in done.outcomes[-1].reason
    assert sum(event.kind == "spawn" for event in done.events) == 6


def test_what_a_copy_started_itself_ends_with_it(drive: Drive, tmp_path: Path) -> None:
    body = f"""
import subprocess
child = subprocess.Popen(["sleep", "600"])
open({str(tmp_path / "child")!r}, "w").write(str(child.pid))
serve(echo)
"""
    drive(body, STARTS[:3])
    child = int((tmp_path / "child").read_text())
    # The kernel takes a moment to end what was killed, and nobody here reaps a grandchild.
    give_up = monotonic() + 10
    while has_life(child) and monotonic() < give_up:
        sleep(0.01)
    assert not has_life(child)


def test_a_command_that_ends_at_once_breaks_the_run_with_its_last_words(drive: Drive) -> None:
    with pytest.raises(RunError, match=r"copy-1: no answer to task_get: it ended") as caught:
        drive("sys.exit('the configuration is missing')", STARTS)
    assert caught.value.exit_code == 3


def test_a_command_that_is_not_there_breaks_the_run() -> None:
    target = open_command(TargetSetup(argument="/no/such/program x"))
    import asyncio

    async def start() -> None:
        try:
            await target.start()
        finally:
            await target.close()

    with pytest.raises(RunError, match="command '/no/such/program': cannot be started: No such file"):
        asyncio.run(start())


@pytest.mark.parametrize(
    ("argument", "options", "message"),
    [
        ("", {}, "no command is given"),
        ("python 'oops", {}, "cannot be split into words"),
        ("cat", {"copies": "0"}, "copies must be a whole number from 1 to 256, not '0'"),
        ("cat", {"copies": "many"}, "not 'many'"),
        ("cat", {"size": "2"}, "unknown option 'size'"),
        ("cat", {"per": "day"}, "per must be request, not 'day'"),
        ("cat", {"per": "request", "copies": "2"}, "per and copies exclude each other"),
    ],
)
def test_what_is_wrong_with_the_words_is_said_in_one_line(
    argument: str, options: dict[str, str], message: str
) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        open_command(TargetSetup(argument=argument, options=options))
    assert str(caught.value).startswith("target command: ")
    assert "\n" not in str(caught.value)


def test_a_process_for_each_request_answers_by_its_exit_status(drive: Drive) -> None:
    body = """
asked = json.loads(sys.stdin.readline())
assert not sys.stdin.readline(), "one request and then the end"
sys.exit("no such task" if asked["id"] == 2 else 0)
"""
    done = drive(body, [0.05 * number for number in range(5)], per_request=True)
    assert [one.fate for one in done.outcomes] == [
        Fate.FAILED if number == 2 else Fate.COMPLETED for number in range(5)
    ]
    assert done.outcomes[2].reason == "ExitStatus: exit status 1: no such task"
    assert len({one.worker for one in done.outcomes}) == 5
    assert all(0 < one.service_s <= one.response_s for one in done.outcomes)
    assert done.usage.cpu_s > 0


def test_a_process_for_a_request_that_takes_too_long_is_killed(drive: Drive, tmp_path: Path) -> None:
    body = f"""
open({str(tmp_path / "pid")!r}, "w").write(str(os.getpid()))
time.sleep(600)
"""
    [one] = drive(body, [0.0], deadline_s=1.0, warm_up=0, per_request=True).outcomes
    assert (one.fate, one.response_s >= 1.0) == (Fate.TIMED_OUT, True)
    pid = tmp_path / "pid"
    assert not pid.exists() or is_gone(int(pid.read_text()))
