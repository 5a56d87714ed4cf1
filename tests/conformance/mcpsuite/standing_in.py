"""Let what a real server has answer where the suite asks for a tool, prompt or resource by a name of its own.

The suite is written for servers that exist to be tested: it calls ``test_simple_text`` and reads
``test://static-text``. A proxy in front of the server puts our names in the place of those, in the body and
in the header that repeats them, and passes everything else as it comes: what is under test is what ships.
"""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import yaml

_HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "host", "keep-alive"}
_TIMEOUT_S = 60.0


class StandIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What of ours answers to a name of the suite.

    Attributes:
        name: of the tool or prompt, or the address of the resource.
        arguments: given in the place of those of the suite.
    """

    name: str
    arguments: dict[str, Any] = {}


class StandIns(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that stands in.

    Attributes:
        scenarios: those that are run through the proxy.
        slow: those that are run so while writes to the store have to wait.
        names: by the names of the suite.
    """

    scenarios: list[str]
    slow: list[str]
    names: dict[str, StandIn]


def read_stand_ins(path: Path) -> StandIns:
    """What stands in, from a file."""
    return msgspec.convert(yaml.safe_load(path.read_text()), StandIns)


def rewritten(message: Any, names: Mapping[str, StandIn]) -> Any:
    """A message with our names in the place of the suite's; the same object where it has none of them."""
    params = message.get("params") if isinstance(message, dict) else None
    if not isinstance(params, dict):
        return message
    ref = params.get("ref")
    if isinstance(ref, dict) and (found := names.get(str(ref.get("name")))) is not None:
        # The first argument of ours stands in for the one that is being completed.
        argument = {"name": next(iter(found.arguments)), "value": ""}
        return {**message, "params": {**params, "ref": {**ref, "name": found.name}, "argument": argument}}
    key = "uri" if "uri" in params else "name"
    found = names.get(str(params.get(key)))
    if found is None:
        return message
    changed = {**params, key: found.name}
    if key == "name":
        changed["arguments"] = found.arguments
    return {**message, "params": changed}


@contextmanager
def in_front_of(url: str, names: Mapping[str, StandIn]) -> Iterator[str]:
    """A proxy in front of the server at a URL; gives the URL that the suite is to use."""
    split = urlsplit(url)

    class Proxy(_Proxy):
        target = str(split.netloc)
        stand_ins = names

    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}{split.path}"
        finally:
            server.shutdown()


class _Proxy(BaseHTTPRequestHandler):
    target: str
    stand_ins: Mapping[str, StandIn]

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
        if (found := self.stand_ins.get(self.headers.get("Mcp-Name", ""))) is not None:
            headers["Mcp-Name"] = found.name
        connection = http.client.HTTPConnection(self.target, timeout=_TIMEOUT_S)
        try:
            connection.request(self.command, self.path, self._changed(body) or None, headers)
            self._give_back(connection.getresponse())
        except (OSError, http.client.HTTPException):
            # The suite hangs up on streams that it has read enough of.
            self.close_connection = True
        finally:
            connection.close()

    do_GET = do_POST = do_DELETE = _pass_on  # noqa: N815 (names that http.server looks for)

    def _changed(self, body: bytes) -> bytes:
        try:
            message = json.loads(body)
        except ValueError:
            return body
        changed = rewritten(message, self.stand_ins)
        return body if changed is message else json.dumps(changed).encode()

    def _give_back(self, answer: http.client.HTTPResponse) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        while chunk := answer.read1(65536):
            self.wfile.write(chunk)
            self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (its name in http.server)
        """Say nothing: the suite tells what it asked."""
