"""Where something stands in a TOML file, which its parser does not tell."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

_HEADER = re.compile(r"\s*\[\[?\s*([^\]#]+?)\s*\]\]?\s*(?:#.*)?$")


class Lines:
    """The lines of one file."""

    def __init__(self, text: str) -> None:
        self._lines: Sequence[str] = text.splitlines()

    def headers(self, name: str) -> list[int]:
        """The lines of every ``[[name]]`` or ``[name]``, from 1 on."""
        found = []
        for number, line in enumerate(self._lines, 1):
            header = _HEADER.match(line)
            if header and re.sub(r"\s*\.\s*", ".", header[1]).replace('"', "") == name:
                found.append(number)
        return found

    def of_key(self, key: str, after: int) -> int:
        """The first line from `after` on that sets a key; `after` where there is none."""
        pattern = re.compile(rf"(?:^|[{{,\s])[\"']?{re.escape(key)}[\"']?\s*=")
        return self._first(lambda line: pattern.search(line) is not None, after)

    def of_text(self, text: str, after: int) -> int:
        """The first line from `after` on with a text in quotation marks; `after` where there is none."""
        return self._first(lambda line: f'"{text}"' in line or f"'{text}'" in line, after)

    def _first(self, is_it: Callable[[str], bool], after: int) -> int:
        for number, line in enumerate(self._lines[after - 1 :], after):
            if is_it(line):
                return number
        return after
