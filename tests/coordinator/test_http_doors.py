"""Who is let in over HTTP, and how much each may ask."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from listener import Answer, Listener, exchange
from starlette.types import Receive, Scope, Send

from tiergate.coordinator.guard import Guard
from tiergate.coordinator.http import HttpPlan, run_http
from tiergate.coordinator.limits import HttpLimits, RateLimit
from tiergate.coordinator.listening import HttpAddress, listen

Cli = Callable[..., tuple[int, str, str]]

pytestmark = pytest.mark.integration

TOKEN = "0123456789abcdef0123456789abcdef"
OPEN = ("/", "/live.css", "/live.js", "/health/live", "/health/ready")
CLOSED = ("/metrics", "/events", "/status.json", "/mcp", "/no/such/path")


@pytest.fixture(scope="module")
def guarded(
    environment: dict[str, str],
    command_line: Callable[..., list[str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Listener]:
    """A server that wants a token."""
    folder = tmp_path_factory.mktemp("guarded")
    token = folder / "token"
    token.touch(0o600)
    token.write_text(TOKEN + "\n")
    line = command_line(folder / "work.db", "--token-file", str(token), "--allow-host", "box.example")
    listener = Listener(line, environment, folder / "errors")
    yield listener
    assert listener.end() == 0
    assert TOKEN not in listener.errors.read_text()


def bearing(text: str) -> dict[str, str]:
    return {"Authorization": text}


@pytest.mark.parametrize("path", CLOSED)
@pytest.mark.parametrize(
    "headers", [{}, bearing("Bearer wrong"), bearing(f"Basic {TOKEN}"), bearing(TOKEN), bearing("Bearer ")]
)
def test_without_the_token_nothing_is_told(guarded: Listener, path: str, headers: dict[str, str]) -> None:
    answer = exchange(guarded.port, "POST" if path == "/mcp" else "GET", path, None, headers)
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert "--token-file" in answer.error


@pytest.mark.parametrize("path", ["/metrics", "/events", "/status.json"])
def test_the_token_opens(guarded: Listener, path: str) -> None:
    for text in (f"Bearer {TOKEN}", f"bearer  {TOKEN}"):
        assert exchange(guarded.port, "GET", path, None, bearing(text)).status == 200


@pytest.mark.parametrize("path", OPEN)
def test_files_of_the_page_and_health_need_no_token(guarded: Listener, path: str) -> None:
    assert exchange(guarded.port, "GET", path).status == 200
    assert exchange(guarded.port, "POST", path).status == 401
    assert exchange(guarded.port, "GET", path, None, {"Host": "evil.example"}).status == 421
    assert exchange(guarded.port, "GET", path, None, {"Origin": "http://evil.example"}).status == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Host": "localhost:x"}, 421),
        ({"Host": ""}, 421),
        ({"Host": "box.example:99"}, 200),
        ({"Host": "LOCALHOST"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://box.example"}, 200),
    ],
)
def test_host_and_origin_have_to_name_this_server(
    guarded: Listener, headers: dict[str, str], status: int
) -> None:
    both = {**bearing(f"Bearer {TOKEN}"), **headers}
    assert exchange(guarded.port, "GET", "/status.json", None, both).status == status


def refused(cli: Cli, *words: str) -> str:
    """The one line that a server says which does not start for wrong usage."""
    code, printed, said = cli("serve", "--store", "sqlite:work.db", *words)
    assert (code, printed) == (2, "")
    (line,) = said.splitlines()
    return line


def test_a_token_that_everybody_may_read_is_refused(cli: Cli, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN)
    token.chmod(0o644)
    assert "chmod 600" in refused(cli, "--http", "127.0.0.1:0", "--token-file", str(token))


@pytest.mark.parametrize("host", ["0.0.0.0", "[::]"])
def test_a_public_address_needs_a_token(cli: Cli, host: str) -> None:
    assert "--token-file" in refused(cli, "--http", f"{host}:0")


def test_a_port_in_use_is_named(cli: Cli) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = refused(cli, "--http", f"127.0.0.1:{port}")
    assert f"127.0.0.1:{port}" in said
    assert "in use" in said


class Waiting:
    """An application that answers once it is let."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.let = threading.Event()
        self.let.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body, wait, answer."""
        if scope["type"] != "http":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        await receive()
        self.begun.release()
        while not self.let.is_set():
            await asyncio.sleep(0.005)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})


@contextmanager
def limited(app: Waiting, limits: HttpLimits) -> Iterator[int]:
    """The port of a server in a thread, with limits."""
    plan = HttpPlan(address=HttpAddress("127.0.0.1", 0), limits=limits)
    ended = asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []
    failures: list[BaseException] = []
    with closing(listen(plan.address)) as listener:

        async def serve() -> None:
            loops.append(asyncio.get_running_loop())
            await run_http(Guard(app, limits, ["127.0.0.1"], None), plan, listener, ended)

        def run() -> None:
            try:
                asyncio.run(serve())
            except BaseException as error:  # it belongs to the thread of the test
                failures.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            app.let.set()
            loops[0].call_soon_threadsafe(ended.set)
            thread.join(30)
    assert not failures
    assert not thread.is_alive()


def talk(port: int, *parts: bytes) -> bytes:
    """Say what there is to say, and read until the server ends the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        for part in parts:
            connection.sendall(part)
        said = b""
        while read := connection.recv(65536):
            said += read
    return said


POST = b"POST /x HTTP/1.1\r\nHost: 127.0.0.1\r\n"


def test_a_body_may_only_be_so_large() -> None:
    with limited(Waiting(), HttpLimits(body_bytes=100)) as port:
        assert exchange(port, "POST", "/x", b"x" * 100).status == 200
        said = exchange(port, "POST", "/x", b"x" * 101)
        assert (said.status, said.headers["connection"]) == (413, "close")
        # Without a length, the pieces are counted.
        chunked = b"Transfer-Encoding: chunked\r\n\r\n" + b"40\r\n" + b"x" * 64 + b"\r\n"
        assert b" 413 " in talk(port, POST + chunked, b"40\r\n" + b"x" * 64 + b"\r\n").splitlines()[0]


def test_too_many_requests_of_one_address_are_told_when_to_come_again() -> None:
    with limited(Waiting(), HttpLimits(rate=0.01, burst=3)) as port:
        answers = [exchange(port, "GET", "/x") for _ in range(4)]
        assert [answer.status for answer in answers] == [200, 200, 200, 429]
        assert 0 < int(answers[-1].headers["retry-after"]) <= 100


def test_the_rate_comes_back_with_time() -> None:
    now = 0.0
    limit = RateLimit(2.0, 1.0, lambda: now)
    assert limit.take("a") == 0
    assert limit.take("a") == 0.5
    assert limit.take("b") == 0
    now = 0.5
    assert limit.take("a") == 0


def test_only_so_many_requests_run_at_once() -> None:
    app = Waiting()
    with limited(app, HttpLimits(concurrency=2)) as port:
        app.let.clear()
        answers: list[Answer] = []
        asking = [
            threading.Thread(target=lambda: answers.append(exchange(port, "POST", "/x"))) for _ in range(2)
        ]
        for thread in asking:
            thread.start()
            assert app.begun.acquire(timeout=30)
        turned_away = exchange(port, "POST", "/x")
        assert (turned_away.status, turned_away.headers["retry-after"]) == (503, "1")
        app.let.set()
        for thread in asking:
            thread.join(30)
        assert [answer.status for answer in answers] == [200, 200]
        assert exchange(port, "POST", "/x").status == 200


def test_a_slow_head_or_body_is_not_waited_for() -> None:
    with limited(Waiting(), HttpLimits(head_s=0.2, body_s=0.2)) as port:
        assert talk_to_reset(port, b"POST /x HT") == b""
        assert talk_to_reset(port, b"") == b""
        said = talk(port, POST + b"Content-Length: 10\r\n\r\nabc")
        assert b" 408 " in said.splitlines()[0]
        assert exchange(port, "POST", "/x", b"abc").status == 200


def talk_to_reset(port: int, part: bytes) -> bytes:
    """As `talk`, where the server may also break the connection off."""
    try:
        return talk(port, part)
    except ConnectionResetError:
        return b""
