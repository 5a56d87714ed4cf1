"""A line of todo.txt, taken apart and put together again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_DAY = r"\d{4}-\d{2}-\d{2}"
# The rules put a priority behind the mark of completion nowhere, but many programs leave it there.
_LINE = re.compile(
    rf"(?P<done>x )?(?:\((?P<priority>[A-Z])\) )?(?:(?P<first>{_DAY}) )?(?:(?P<second>{_DAY}) )?(?P<text>.*)",
    re.DOTALL,
)
_PAIR = re.compile(r"(?P<key>[A-Za-z][\w-]*):(?P<value>(?!//)[^\s:]+)")
_TAG = re.compile(r"[+@]\S+")


@dataclass(slots=True)
class Line:
    """One task.

    Attributes:
        done: whether it begins with an ``x``.
        priority: the letter in front; empty without one.
        completed: the day of completion; empty without one.
        created: the day of creation; empty without one.
        title: the text, up to the projects, contexts and pairs that it ends with.
        tail: these, with the blank before them.
    """

    done: bool
    priority: str
    completed: str
    created: str
    title: str
    tail: str

    @classmethod
    def parse(cls, text: str) -> Line:
        """Take a line apart."""
        found = _LINE.fullmatch(text)
        assert found is not None  # it matches every text
        first, second, done = found["first"] or "", found["second"] or "", bool(found["done"])
        rest = found["text"]
        if second and not done:  # only what is completed has two dates
            rest, second = f"{second} {rest}", ""
        cut = _tail_start(rest)
        completed, created = (first, second) if done else ("", first)
        return cls(done, found["priority"] or "", completed, created, rest[:cut], rest[cut:])

    def __str__(self) -> str:
        priority = f"({self.priority})" if self.priority else ""
        front = ("x" if self.done else "", priority, self.completed, self.created)
        return "".join(f"{part} " for part in front if part) + self.title + self.tail

    @property
    def pairs(self) -> dict[str, str]:
        """The values by key; of a key that stands twice, the first."""
        found: dict[str, str] = {}
        for pair in map(_PAIR.fullmatch, self._words):
            if pair:
                found.setdefault(pair["key"], pair["value"])
        return found

    @property
    def tags(self) -> tuple[str, ...]:
        """Projects and contexts with their marks, in their order."""
        return tuple(dict.fromkeys(word for word in self._words if _TAG.fullmatch(word)))

    def set_pair(self, key: str, values: Sequence[str]) -> None:
        """Give a key other values, with commas between; none takes it away."""
        old = re.compile(rf"(?:(?<=\s)|^){re.escape(key)}:[^\s:]+")
        pair = f"{key}:{','.join(values)}" if values else ""
        for part in ("tail", "title"):
            text = getattr(self, part)
            found = old.search(text)
            if found:
                before = text[: found.start()] if pair else text[: found.start()].rstrip(" ")
                setattr(self, part, before + pair + text[found.end() :])
                return
        if pair:
            self.tail = f"{self.tail.rstrip()} {pair}"

    @property
    def _words(self) -> list[str]:
        return f"{self.title}{self.tail}".split()


def _tail_start(text: str) -> int:
    """Where the words begin that only describe the task; a text of nothing else is a title."""
    title_end = 0
    for word in reversed(list(re.finditer(r"\S+", text))):
        if not (_TAG.fullmatch(word[0]) or _PAIR.fullmatch(word[0])):
            title_end = word.end()
            break
    return title_end or len(text.rstrip())
