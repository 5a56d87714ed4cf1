"""File names for session ids.

Any id must give a name of its own that stays inside its folder: also ids with slashes or dots,
ids that differ only in case (some file systems fold it) or in Unicode form (some normalise it),
the empty id, and ids longer than a file name may be. So a name uses lower-case ASCII only, and
every other byte of the id is written as ``%xx``. An id too long for that is named by its
beginning and its SHA-256; such an id must be read from inside the file.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

SUFFIX = ".json"

_AS_IT_IS = re.compile(r"[a-z0-9_-]{1,200}")
_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-_")
_EMPTY = "~"
_LONGEST = 200
"""File names may have 255 bytes nearly everywhere; some encrypting file systems allow far fewer."""
_BEGINNING = 60
_HASHED = re.compile(r".+~[0-9a-f]{64}")


@lru_cache(4096)
def file_name(session_id: str) -> str:
    """The name of the file that holds a session."""
    if _AS_IT_IS.fullmatch(session_id):
        return session_id + SUFFIX
    raw = session_id.encode("utf-8", "surrogatepass")
    name = "".join(chr(byte) if byte in _PLAIN else f"%{byte:02x}" for byte in raw)
    if len(name) > _LONGEST:
        name = f"{name[:_BEGINNING]}~{hashlib.sha256(raw).hexdigest()}"
    return (name or _EMPTY) + SUFFIX


def session_id_of(name: str) -> str | None:
    """The session id that a file name spells out; None when only the file itself can tell.

    Raises:
        ValueError: no session id has that file name.
    """
    stem = name.removesuffix(SUFFIX)
    if stem == _EMPTY:
        return ""
    if _HASHED.fullmatch(stem):
        return None
    try:
        raw = b"".join(_bytes_of(piece) for piece in re.findall(r"%[0-9a-f]{2}|.", stem, re.DOTALL))
        session_id = raw.decode()
    except UnicodeError as error:
        raise ValueError(f"{name!r} is not the file name of a session") from error
    if file_name(session_id) != name:
        raise ValueError(f"{name!r} is not the file name of a session")
    return session_id


def _bytes_of(piece: str) -> bytes:
    return bytes([int(piece[1:], 16)]) if len(piece) == 3 else piece.encode()
