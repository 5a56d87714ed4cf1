"""Server-sent events: what the data fields of a stream carry (WHATWG HTML, section 9.2)."""

from __future__ import annotations

from collections.abc import Iterator


class EventReader:
    """Reads a stream in pieces of any size."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    @property
    def held(self) -> int:
        """Bytes of what is not complete yet."""
        return len(self._rest) + sum(map(len, self._data))

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """The data of each event that is complete with this piece; events without data are passed over."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            text = line.removesuffix(b"\r")
            if not text:
                if self._data:
                    yield b"\n".join(self._data)
                self._data = []
            elif text.startswith(b"data:"):
                self._data.append(text[5:].removeprefix(b" "))
