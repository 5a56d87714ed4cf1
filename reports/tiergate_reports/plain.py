"""Texts of sources as a page can show them."""

from __future__ import annotations

import unicodedata


def plain(text: str) -> str:
    """With control characters and changes of direction escaped, which would change how a line reads."""
    return "".join(
        sign
        if unicodedata.category(sign) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} or sign in "\u200c\u200d"
        else sign.encode("unicode_escape", "surrogatepass").decode("ascii")
        for sign in text
    )
