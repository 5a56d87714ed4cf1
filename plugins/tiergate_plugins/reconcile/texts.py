"""Task texts in the form in which they are compared."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cached_property

from tiergate.matching import Plan, TaskRef, tasks_of
from tiergate.model import Status

_APART = re.compile(r"[\W_]+")
_NUMBER = re.compile(r"\d+")
_VERSION = re.compile(r"(?<![\w.-])(?:v\d+|\d+\.\d+)(?:\.\d+)+(?![\w])", re.IGNORECASE)
_COMPARED = 400  # characters: a title and the opening of the notes; what follows repeats words


class Item:
    """A task as it is compared.

    Attributes:
        title: folded.
        text: folded title with notes.
        raw: both as they are written.
    """

    __slots__ = ("__dict__", "raw", "ref", "status", "text", "title")

    def __init__(self, ref: TaskRef, title: str, notes: str = "", status: Status = Status.QUEUED) -> None:
        self.ref = ref
        self.status = status
        self.raw = f"{title}\n{notes}"
        self.title = fold(title)
        self.text = fold(self.raw)

    @property
    def place(self) -> tuple[str, str]:
        """The source and the session."""
        return self.ref.source, self.ref.session

    @property
    def compared(self) -> str:
        """The part of the text that is compared by its n-grams."""
        return self.text[:_COMPARED]

    @cached_property
    def family(self) -> str:
        """The title without its numbers: equal for steps of a template, such as ``step 1``, ``step 2``."""
        return " ".join(_NUMBER.sub(" ", self.title).split())

    @cached_property
    def digits(self) -> str:
        """The numbers in the title, however they are parted."""
        return "".join(_NUMBER.findall(self.title))

    @cached_property
    def versions(self) -> frozenset[str]:
        """The versions of programs that the title names, such as ``0.33.2``."""
        title = self.raw.partition("\n")[0]
        return frozenset(found.lower().lstrip("v") for found in _VERSION.findall(title))


def fold(text: str) -> str:
    """Compatibility form without case, punctuation or runs of blanks."""
    return _APART.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


def items_of(plans: Sequence[Plan]) -> list[Item]:
    """Every task of the plans, sorted by reference so that their order does not matter."""
    found = [Item(ref, task.title, task.notes, task.status) for ref, _, task in tasks_of(plans)]
    return sorted(found, key=lambda item: (item.ref, item.raw))


def name_different_steps(one: Item, other: Item) -> bool:
    """Whether the titles say that these are two: other versions, or steps of a template of other numbers.

    A release is worked on by the same steps as the one before it, in the same words.
    """
    if one.versions != other.versions:
        return True
    return one.digits != other.digits and one.family == other.family
