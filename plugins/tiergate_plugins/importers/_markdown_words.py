"""What a line of a plan says beside its title: status, weight, what it waits for, claims of progress.

Such words stand in brackets at the end of a task, as in ``(active, weight 6, needs 2 and 3)``. Brackets that
say anything else as well belong to the title.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tiergate.model import Status

STATUS_WORDS = {
    "queued": Status.QUEUED,
    "open": Status.QUEUED,
    "todo": Status.QUEUED,
    "active": Status.ACTIVE,
    "in progress": Status.ACTIVE,
    "started": Status.ACTIVE,
    "blocked": Status.BLOCKED,
    "waiting": Status.BLOCKED,
    "completed": Status.COMPLETED,
    "complete": Status.COMPLETED,
    "done": Status.COMPLETED,
    "abandoned": Status.ABANDONED,
    "cancelled": Status.ABANDONED,
    "dropped": Status.ABANDONED,
}
_LONGEST = 300
_ID = r"#?[\w][\w./@-]*"
_IDS = rf"{_ID}(?:\s*(?:,|&|\band\b)\s*{_ID})*"
_NEEDS = re.compile(rf"(?:needs|depends on|after|blocked by)\s+({_IDS})", re.IGNORECASE)
_WEIGHT = re.compile(r"weight\s+(\d{1,9}(?:\.\d{1,6})?)", re.IGNORECASE)
_MOMENTUM = re.compile(r"momentum\s+(\d{1,2}|100)\s?%", re.IGNORECASE)
_STATUS = re.compile("|".join(sorted(STATUS_WORDS, key=len, reverse=True)), re.IGNORECASE)
_PHRASES = {"status": _STATUS, "weight": _WEIGHT, "needs": _NEEDS, "momentum": _MOMENTUM}

_NUMBER = r"(?<![\d.,])(\d{1,3}(?:[.,]\d{1,3})?)\s?%"
_PERCENT = re.compile(
    rf"{_NUMBER}\s*(?:complete[d]?|done|finished|progress)\b|\b(?:progress|completion|complete|done)\W{{1,4}}{_NUMBER}",
    re.IGNORECASE,
)
_COUNT = re.compile(
    r"\b(\d{1,6})\s*(?:of|/|out of)\s*(\d{1,6})\s+(?:tasks?\s+|items?\s+)?(?:are\s+|is\s+)?"
    r"(?:complete[d]?|done|finished)\b",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Words:
    """A text and what stands in brackets at its end.

    Attributes:
        title: the text before the brackets.
        gap: the blanks between.
        phrases: what each phrase in the brackets is about, and the phrase, in their order.
    """

    title: str
    gap: str = " "
    phrases: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def parse(cls, text: str) -> Words:
        """Take a text apart."""
        before, bracket, inside = text.rpartition("(")
        title = before.rstrip(" \t")
        if not bracket or not title or inside.find(")") != len(inside) - 1 or len(inside) > _LONGEST:
            return cls(text)
        phrases = _phrases(inside[:-1])
        return cls(title, before[len(title) :], phrases) if phrases else cls(text)

    def __str__(self) -> str:
        inside = ", ".join(phrase for _, phrase in self.phrases)
        return f"{self.title}{self.gap}({inside})" if inside else self.title

    @property
    def status(self) -> tuple[Status, str] | None:
        """The status that is said, and the word for it."""
        word = self._said("status")
        return None if word is None else (STATUS_WORDS[word.casefold()], word)

    @property
    def weight(self) -> float:
        """The weight that is said, else 1."""
        found = _WEIGHT.fullmatch(self._said("weight") or "")
        return float(found[1]) if found else 1.0

    @property
    def momentum(self) -> float:
        """The momentum that is said, 0..1, else 0."""
        found = _MOMENTUM.fullmatch(self._said("momentum") or "")
        return int(found[1]) / 100 if found else 0.0

    @property
    def needs(self) -> tuple[str, ...]:
        """What is waited for, as written but without number signs."""
        found = _NEEDS.fullmatch(self._said("needs") or "")
        names = re.split(r"\s*(?:,|&|\band\b)\s*", found[1]) if found else []
        return tuple(dict.fromkeys(name.strip().removeprefix("#") for name in names))

    def say(self, kind: str, phrase: str) -> None:
        """Put a phrase in place of the one of its kind, else behind the others; an empty one is left out."""
        numbers = [number for number, (known, _) in enumerate(self.phrases) if known == kind]
        if numbers:
            self.phrases[numbers[0] : numbers[0] + 1] = [(kind, phrase)] if phrase else []
        elif phrase:
            self.phrases.append((kind, phrase))

    def _said(self, kind: str) -> str | None:
        return next((phrase for known, phrase in self.phrases if known == kind), None)


def _phrases(inside: str) -> list[tuple[str, str]] | None:
    """The phrases in brackets; None where one of them is none of ours, or two are of one kind."""
    found: list[tuple[str, str]] = []
    rest = inside.strip()
    while rest:
        for kind, pattern in _PHRASES.items():
            # The longest way that ends at a comma or at the end: "needs 2, 3, weight 6" is two phrases.
            match = _match(pattern, rest)
            if match:
                found.append((kind, match))
                rest = rest[len(match) :].lstrip().removeprefix(",").removeprefix(";").lstrip()
                break
        else:
            return None
    kinds = [kind for kind, _ in found]
    return found if len(set(kinds)) == len(kinds) else None


def _match(pattern: re.Pattern[str], text: str) -> str | None:
    ends = [found.start() for found in re.finditer(r"\s*[,;]", text)]
    for end in [len(text), *reversed(ends)]:
        phrase = text[:end].rstrip()
        if pattern.fullmatch(phrase) and not _swallows(pattern, phrase):
            return phrase
    return None


def _swallows(pattern: re.Pattern[str], phrase: str) -> bool:
    """Whether a list of ids would take a word behind its commas that is a phrase of its own."""
    if pattern is not _NEEDS:
        return False
    return any(_STATUS.fullmatch(part.strip()) for part in phrase.split(",")[1:])


def claims(text: str, line: int) -> list[dict[str, Any]]:
    """The statements of progress in a line: percentages from 0 to 100, or counts, with line and words."""
    found: list[dict[str, Any]] = []
    for match in _PERCENT.finditer(text):
        percent = float((match[1] or match[2]).replace(",", "."))
        if percent <= 100:
            found.append({"percent": percent, "line": line, "text": text.strip()})
    found += [
        {"done": int(match[1]), "of": int(match[2]), "line": line, "text": text.strip()}
        for match in _COUNT.finditer(text)
    ]
    return found


def listed(names: Sequence[str]) -> str:
    """Ids as a phrase says what is waited for; empty without any."""
    return f"needs {', '.join(names)}" if names else ""
