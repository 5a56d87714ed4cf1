"""Task texts in the form in which they are compared."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import msgspec

from tiergate.matching import Plan, TaskRef

_APART = re.compile(r"[\W_]+")
_NUMBER = re.compile(r"\d+")
_COMPARED = 400  # characters: a title and the opening of the notes; what follows repeats words


class Item(msgspec.Struct, frozen=True, gc=False):
    """A task as it is compared: folded title, and folded title with notes."""

    ref: TaskRef
    title: str
    text: str

    @property
    def place(self) -> tuple[str, str]:
        """The source and the session."""
        return self.ref.source, self.ref.session


def fold(text: str) -> str:
    """Compatibility form without case, punctuation or runs of blanks."""
    return _APART.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


def template(text: str) -> str:
    """The text with every number replaced: equal for a family such as ``step 1``, ``step 2``."""
    return _NUMBER.sub("#", text)


def numbers_of(text: str) -> frozenset[str]:
    """The numbers in a text."""
    return frozenset(_NUMBER.findall(text))


def items_of(plans: Sequence[Plan]) -> list[Item]:
    """Every task of the plans, sorted by reference and text so that their order does not matter."""
    found = [
        Item(TaskRef(plan.source, session.id, task.id), fold(task.title), fold(f"{task.title} {task.notes}"))
        for plan in plans
        for session in plan.sessions
        for task in session.tasks
    ]
    return sorted(found, key=lambda item: (item.ref, item.text))


def shortened(item: Item) -> str:
    """The part of the text that is compared by its n-grams."""
    return item.text[:_COMPARED]
