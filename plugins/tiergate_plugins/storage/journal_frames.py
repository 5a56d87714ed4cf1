"""The frames of a journal: how a record is written, and what a write looks like that was cut short.

A frame is ``length | crc | sequence | payload``, padded to 16 bytes, and written over zeros.
"""

from __future__ import annotations

import struct
import zlib
from itertools import pairwise
from typing import NamedTuple

FRAME = struct.Struct("<IIQ")
ALIGN = FRAME.size
DURABLE = 1 << 31
"""Set in the length of a frame that was synced before its write returned."""
LONGEST = DURABLE - 1
"""Bytes of a payload."""
SECTOR = 512
"""Bytes that a disk writes as a whole."""
_LENGTH_BITS = 32


class Frame(NamedTuple):
    """A frame that is whole; `end` is its place in the file behind the padding."""

    sequence: int
    payload: bytes
    durable: bool
    end: int


def pack(payload: bytes, sequence: int, *, durable: bool) -> bytes:
    """The frame of a record."""
    length = len(payload) | (DURABLE if durable else 0)
    padded = payload + bytes(-len(payload) % ALIGN)
    return FRAME.pack(length, checksum(length, sequence, padded), sequence) + padded


def checksum(length: int, sequence: int, padded: bytes) -> int:
    """The CRC-32 of a frame."""
    return zlib.crc32(padded, zlib.crc32(struct.pack("<IQ", length, sequence)))


def was_cut_short(rest: bytes, offset: int, sequence: int) -> bool:
    """Whether bytes that are no frame are those of a write that never returned, and surely not damage to one.

    A disk writes sectors, and a kernel pages: what a write left undone are whole ones, which are zeros still.
    Where a part of every sector is there, all of it was. (etcd tells its torn entries in the same way.)

    Args:
        rest: what follows the last whole frame, to the end of the file.
        offset: of these bytes in the file.
        sequence: that the next frame would have.
    """
    if len(rest) < FRAME.size:
        return False
    length, _, number = FRAME.unpack_from(rest)
    if not any(rest[: FRAME.size]):
        return True
    if number != sequence or _is_whole_but_for_its_length(rest):
        return False
    end = FRAME.size + (length & LONGEST)
    if end + -end % ALIGN > len(rest):
        # Room for a durable frame is on disk before it is written.
        return not length & DURABLE
    places = [0, *range(SECTOR - offset % SECTOR, end, SECTOR), end]
    # A single byte may be a zero by a flipped bit.
    return any(
        stop - start > 1 and rest.count(0, start, stop) == stop - start for start, stop in pairwise(places)
    )


def _is_whole_but_for_its_length(rest: bytes) -> bool:
    """Whether a single bit of the length makes the difference: it leads behind the frame, into zeros."""
    length, found, sequence = FRAME.unpack_from(rest)
    for bit in range(_LENGTH_BITS):
        meant = length ^ (1 << bit)
        size = meant & LONGEST
        padded = rest[FRAME.size : FRAME.size + size + -size % ALIGN]
        if len(padded) >= size and found == checksum(meant, sequence, padded):
            return True
    return False
