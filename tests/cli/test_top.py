"""``tiergate top``: a running server, what cannot be asked, and narrow terminals."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tiergate.cli.top_source import Source
from tiergate.cli.top_view import milliseconds, span
from tiergate.errors import UsageError
from tiergate.monitoring.happenings import Happening
from tiergate.monitoring.health import Health
from tiergate.monitoring.meters import Percentiles
from tiergate.monitoring.status import Affinity, Queue, Status, TierStatus
from tiergate.pool import PoolCounters

Cli = Callable[..., tuple[int, str, str]]

TOKEN = "0123456789abcdef0123456789abcdef"
EVIL = "sqlite:\x1b[31mwork.db"

STATUS = Status(
    version="1.2.3",
    store=EVIL,
    uptime_s=3723.0,
    health=Health(
        state="degraded", reasons=["the hot tier has 1 of 2 workers"], workers={"hot": 1, "cold": 0}
    ),
    calls_rps=12.34,
    response_ms=Percentiles(1.234, 23.45, 345.6),
    queue=Queue(3, 1000),
    running=3,
    lost=1,
    affinity=Affinity(9, 10),
    tiers=[
        TierStatus(
            name="hot",
            workers=1,
            capacity=2,
            in_hand=3,
            calls_rps=12.34,
            response_ms=Percentiles(1.234, 23.45, 345.6),
        ),
        TierStatus(name="cold", workers=0, capacity=1, in_hand=0, calls_rps=0.0, response_ms=Percentiles()),
    ],
    counters=PoolCounters(spawns=3, exits=1),
    events=[
        Happening(
            at="2025-03-01T12:00:00.250Z",
            kind="exit",
            who="hot-1",
            cause="killed by SIGKILL",
            effect="its requests go to others; it is replaced",
        )
    ],
)


class Answering:
    """A server that answers what it is told to, and keeps what it was asked."""

    def __init__(self) -> None:
        self.status, self.body = 200, msgspec.json.encode(STATUS)
        self.asked: list[tuple[str, str | None]] = []
        answering = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answering.asked.append((self.path, self.headers.get("Authorization")))
                self.send_response(answering.status)
                self.send_header("Location", "http://127.0.0.1:1/")
                self.send_header("Content-Length", str(len(answering.body)))
                self.end_headers()
                self.wfile.write(answering.body)

            def log_message(self, *_words: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def answering() -> Iterator[Answering]:
    found = Answering()
    thread = threading.Thread(target=found.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield found
    found.server.shutdown()
    thread.join()
    found.server.server_close()


def test_it_shows_a_server_once_where_there_is_no_terminal(cli: Cli, answering: Answering) -> None:
    code, out, err = cli("top", answering.url)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        r"tiergate 1.2.3  sqlite:\x1b[31mwork.db  up 1 h 2 min  degraded",
        "! the hot tier has 1 of 2 workers",
        "calls/s 12.3  running 3  queue 3/1000  lost 1  affinity 90 %",
        "response of the last minute, ms: p50 1.23  p95 23.4  p99 346",
        "",
        *(line.rstrip() for line in out.splitlines()[5:8]),
        "spawns 3  exits 1",
        "",
        "12:00:00  exit hot-1 killed by SIGKILL: its requests go to others; it is replaced",
    ]
    assert [line.split() for line in out.splitlines()[5:8]] == [
        "tier workers in hand calls/s p50 ms p95 ms p99 ms".split(),
        "hot 1/2 3 12.3 1.23 23.4 346".split(),
        "cold 0/1 0 0.0 - - -".split(),
    ]


@pytest.mark.parametrize("width", [80, 60])
def test_it_fits_a_narrow_terminal(
    cli: Cli, answering: Answering, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    long = msgspec.structs.replace(STATUS, store="sqlite:" + "long/" * 50)
    answering.body = msgspec.json.encode(long)
    code, out, _ = cli("top", "--once", answering.url)
    assert code == 0
    assert max(map(len, out.splitlines())) <= width
    assert "\x1b" not in out


def test_as_json_it_is_what_the_server_said(cli: Cli, answering: Answering) -> None:
    code, out, _ = cli("top", "--json", answering.url)
    assert code == 0
    assert json.loads(out) == json.loads(answering.body)


@pytest.mark.parametrize("path", ["", "/", "/mcp", "/mcp/", "/status.json"])
def test_the_url_may_be_that_of_the_protocol_and_the_token_goes_with_it(
    cli: Cli, answering: Answering, tmp_path: Path, path: str
) -> None:
    token = tmp_path / "token"
    token.touch(0o600)
    token.write_text(TOKEN + "\n")
    url = answering.url.removeprefix("http://") + path
    assert cli("top", "--json", "--token-file", str(token), url)[0] == 0
    assert answering.asked == [("/status.json", f"Bearer {TOKEN}")]


@pytest.mark.parametrize(
    ("status", "body", "code", "says"),
    [
        (401, b"", 2, "demands a token, and this is not it (name its file with --token-file)"),
        (404, b"", 2, "what answers is no tiergate server"),
        (302, b"", 3, "the server answers with status 302"),
        (503, b"", 3, "the server answers with status 503"),
        (200, b"<html>", 2, "what answers is no tiergate server"),
        (200, b"{}", 2, "what answers is no tiergate server"),
    ],
)
def test_what_is_no_answer_is_one_line(
    cli: Cli, answering: Answering, status: int, body: bytes, code: int, says: str
) -> None:
    answering.status, answering.body = status, body
    ended, out, err = cli("top", answering.url)
    assert (ended, out) == (code, "")
    assert says in err
    assert err.count("\n") == 1


def test_nothing_that_answers_is_one_line(cli: Cli) -> None:
    code, out, err = cli("top", "127.0.0.1:1")
    assert (code, out) == (3, "")
    assert err == (
        "tiergate: error: http://127.0.0.1:1/status.json: no server answers: Connection refused"
        " (start one with `tiergate serve --http HOST:PORT`)\n"
    )


@pytest.mark.parametrize("url", ["ftp://x", "http://", "http://x:port", "http://a\x1bb"])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="is no URL of a server"):
        Source(url)


def test_in_a_terminal_it_looks_again_until_it_is_interrupted(answering: Answering) -> None:
    ours, theirs = pty.openpty()
    words = [sys.executable, "-m", "tiergate", "top", "--every", "0.1", answering.url]
    environment = {**os.environ, "TERM": "xterm", "NO_COLOR": "1"}
    with subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        shown = b""
        while len(answering.asked) < 4:
            ready, _, _ = select.select([ours], [], [], 0.05)
            shown += os.read(ours, 65536) if ready else b""
            assert process.poll() is None, shown
        process.send_signal(signal.SIGINT)
        shown += _rest(ours)
        assert process.wait(60) == 0, shown
    os.close(ours)
    assert b"degraded" in shown
    assert b"\x1b[31m" not in shown


def _rest(terminal: int) -> bytes:
    """What is written until the program has closed its side."""
    found = b""
    while True:
        try:
            more = os.read(terminal, 65536)
        except OSError:  # so Linux says that the other side is closed
            return found
        if not more:
            return found
        found += more


def test_times_are_short() -> None:
    assert [span(seconds) for seconds in (5.9, 65, 3723, 90_000)] == [
        "5 s",
        "1 min 5 s",
        "1 h 2 min",
        "1 d 1 h",
    ]
    assert milliseconds(Percentiles(0.0, 9.999, 99.96)) == ("0.00", "10.00", "100.0")
