"""Text of sessions as a terminal can show it: nothing in it acts on the terminal."""

from __future__ import annotations

import unicodedata

__all__ = ["JOINERS", "visible", "visible_lines"]

JOINERS = "\u200c\u200d"
"""Signs that make one sign of several, as in emoji, and move nothing."""


def visible(text: str) -> str:
    """The text in one line, with what a terminal would act on (escapes, line ends, bidi marks) escaped."""
    if text.isprintable():
        return text
    return "".join(sign if _is_plain(sign) else _escaped(sign) for sign in text)


def visible_lines(text: str) -> list[str]:
    """As `visible`, but line ends and tabs keep their meaning."""
    return [visible(line.expandtabs(4)) for line in text.replace("\r\n", "\n").split("\n")]


def _is_plain(sign: str) -> bool:
    return sign.isprintable() or sign in JOINERS or unicodedata.category(sign) == "Zs"


def _escaped(sign: str) -> str:
    return sign.encode("unicode_escape", "surrogatepass").decode("ascii")
