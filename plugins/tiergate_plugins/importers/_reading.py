"""Reading files of other tools: every failure becomes one line with file, line and column."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Any

import msgspec

from tiergate.errors import SourceError

HEAD_BYTES = 8192
"""How much of a file is looked at to recognise its format."""

BOM = b"\xef\xbb\xbf"
"""The byte order mark of UTF-8."""

_WIDE = {
    b"\xff\xfe\0\0": "UTF-32",
    b"\0\0\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
"""Byte order marks of other encodings, the longer ones first."""

_BYTE = re.compile(r" \(byte (\d+)\)$")


def read_text(path: Path, *, empty_ok: bool = False) -> str:
    """The text of a UTF-8 file, without a byte order mark.

    Args:
        path: the file.
        empty_ok: whether a file that is empty or blank is fine.

    Raises:
        SourceError: it is missing, no regular file, unreadable, empty, binary or not UTF-8.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise SourceError("not a file", where=printable(path), hint="name a file of this format")
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error
    return text_of(data, path, empty_ok=empty_ok)


def text_of(data: bytes, path: Path, *, empty_ok: bool = False) -> str:
    """The text of what a UTF-8 file holds, without a byte order mark.

    Raises:
        SourceError: it is empty, binary or not UTF-8.
    """
    if not data.strip() and not empty_ok:
        raise SourceError("the file is empty", where=printable(path))
    wide = next((name for mark, name in _WIDE.items() if data.startswith(mark)), None)
    if wide:
        hint = f"save it as UTF-8, as with `iconv -f {wide} -t UTF-8`"
        raise SourceError(f"{wide} text, not UTF-8", where=at(path, 1, 1), hint=hint)
    if b"\0" in data:
        raise SourceError("a binary file, not text", where=printable(path))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # With the -sig codec, the position counts from behind a byte order mark.
        before = error.object[: error.start].decode("utf-8", "replace")
        hint = "save it as UTF-8, as with `iconv -f LATIN1 -t UTF-8` where it is Latin-1"
        raise SourceError("not UTF-8 text", where=place(path, before), hint=hint) from error


def read_head(path: Path, size: int = HEAD_BYTES) -> str:
    """The first bytes of a regular file for detection, as text; empty when it cannot be read."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return ""
        with path.open("rb") as file:
            return file.read(size).decode("utf-8-sig", "replace")
    except (OSError, ValueError):
        return ""


def decode_json(text: str, path: Path, *, line: int = 1) -> Any:
    """The value of a JSON text that begins at a line of a file.

    msgspec refuses what its encoder could not write back, such as NaN or half a surrogate pair.

    Raises:
        SourceError: with the line and column of what is no JSON.
    """
    try:
        return msgspec.json.decode(text)
    except RecursionError as error:
        raise SourceError("not JSON that can be read: nested too deeply", where=at(path, line)) from error
    except msgspec.ValidationError as error:
        raise SourceError(f"not JSON that can be read: {error}", where=at(path, line)) from error
    except msgspec.DecodeError as error:
        reason = str(error).removeprefix("JSON is malformed: ")
        found = _BYTE.search(reason)
        data = text.encode()
        # Without a position the text ended too early: point behind its last character.
        before = data[: int(found[1])] if found else data.rstrip()
        raise SourceError(
            f"not JSON: {_BYTE.sub('', reason)}",
            where=place(path, before.decode("utf-8", "ignore"), line=line),
        ) from error


def place(path: Path, before: str, *, line: int = 1) -> str:
    """``file:line:column`` of what follows `before`, a text that begins at `line`."""
    lines = before.split("\n")
    return at(path, line + len(lines) - 1, len(lines[-1]) + 1)


def at(path: Path, line: int, column: int | None = None) -> str:
    """``file:line`` or ``file:line:column``, both counted from 1."""
    return f"{printable(path)}:{line}" + ("" if column is None else f":{column}")


def unreadable(path: Path, error: Exception) -> SourceError:
    """The error for a file or folder that the system does not let us read."""
    if isinstance(error, FileNotFoundError):
        return SourceError("no such file or folder", where=printable(path))
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return SourceError(f"cannot be read: {reason}", where=printable(path))


def printable(path: Path | str) -> str:
    """A path as text that can be stored: bytes of a name that are not UTF-8 become escapes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
