"""Debian's chromium, spoken to over a pipe (the DevTools protocol, one JSON message and a zero byte each)."""

from __future__ import annotations

import json
import os
import select
import subprocess
import time
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PATIENCE_S = 30.0


class Browser:
    """A headless browser with one page."""

    def __init__(self, program: str, profile: Path) -> None:
        reads_there, self._writes = os.pipe()
        self._reads, writes_there = os.pipe()
        words = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--remote-debugging-pipe",
            f"--user-data-dir={profile}",
        ]
        # Chromium takes its end of the pipes at the descriptors 3 and 4.
        command = f'exec "$0" "$@" 3<&{reads_there} 4>&{writes_there}'
        self._process = subprocess.Popen(
            ["bash", "-c", command, program, *words, "about:blank"],
            pass_fds=(reads_there, writes_there),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(reads_there)
        os.close(writes_there)
        self._rest = b""
        self._numbers = count(1)
        self._session = ""
        targets = self._ask("Target.getTargets")["targetInfos"]
        page = next(target["targetId"] for target in targets if target["type"] == "page")
        self._session = self._ask("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        self._ask("Page.enable")

    def open(self, url: str) -> None:
        """Go to a page."""
        self._ask("Page.navigate", url=url)

    def value(self, expression: str) -> Any:
        """What an expression of JavaScript comes to in the page."""
        return self._ask("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def wait_for(self, expression: str) -> Any:
        """What it comes to once that is true in the sense of JavaScript.

        Raises:
            TimeoutError: it is not in time.
        """
        give_up = time.monotonic() + PATIENCE_S
        while time.monotonic() < give_up:
            if found := self.value(expression):
                return found
            time.sleep(0.1)
        raise TimeoutError(f"{expression}\n{self.value('document.body.innerText')}")

    def resize(self, width: int) -> None:
        """Make the page so many pixels wide."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        self._ask("Emulation.setDeviceMetricsOverride", **size)

    def _ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._writes, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._message()
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                result: dict[str, Any] = answer["result"]
                return result

    def _message(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            if not select.select([self._reads], [], [], PATIENCE_S)[0]:
                raise TimeoutError("the browser says nothing")
            data = os.read(self._reads, 1 << 20)
            if not data:
                raise RuntimeError("the browser ended")
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        return message

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._writes)
        os.close(self._reads)
