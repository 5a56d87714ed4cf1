"""One form for equal content: the bytes and the hash of a session, whatever store it came from.

The version is left out, since it counts the writes of one store and is not part of what was written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec

from tiergate.model import Session, canonical


def session_bytes(session: Session) -> bytes:
    """The session as one line of JSON with sorted keys, without its version and without a line end."""
    return canonical(msgspec.structs.replace(session, version=0))


def session_hash(session: Session) -> bytes:
    """SHA-256 of `session_bytes`."""
    return hashlib.sha256(session_bytes(session)).digest()


def root_hash(hashes: Iterable[tuple[str, bytes]]) -> str:
    """One hash over the sessions of a store, in hexadecimal.

    Args:
        hashes: id and hash of every session, in any order; the order does not change the result.
    """
    root = hashlib.sha256()
    for session_id, digest in sorted(hashes):
        root.update(hashlib.sha256(session_id.encode("utf-8", "surrogatepass")).digest())
        root.update(digest)
    return root.hexdigest()
