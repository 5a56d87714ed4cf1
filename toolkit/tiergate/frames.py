"""Compressing and decompressing with zstd dictionaries that are trained on the data and kept with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import zstandard

FIRST_ID = 32_768
"""Smaller dictionary ids are reserved by the zstd format (RFC 8878, section 5)."""

DICTIONARY_BYTES = 64 * 1024
SAMPLE_BYTES = 16 * 1024

_KIND = zstandard.DICT_TYPE_FULLDICT

MOST_BYTES = 2**31
"""A frame that claims to hold more is damaged."""


class Frames:
    """Makes and reads frames.

    Args:
        level: of zstd.
        find: the dictionary of an id as it was kept, or None.
        checksum: whether each frame carries a checksum of what is in it.
    """

    def __init__(self, level: int, find: Callable[[int], bytes | None], *, checksum: bool = False) -> None:
        self._level = level
        self._find = find
        self._checksum = checksum
        self._current = 0
        self._compressor = zstandard.ZstdCompressor(level=level, write_checksum=checksum)
        self._decompressors: dict[int, zstandard.ZstdDecompressor] = {0: zstandard.ZstdDecompressor()}

    @property
    def current(self) -> int:
        """Id of the dictionary that new frames use; 0 for none."""
        return self._current

    def use(self, dictionary_id: int) -> None:
        """Compress with this dictionary from now on, where it can be found; with none for 0."""
        found = self._find(dictionary_id) if dictionary_id else b""
        if found is None:
            return
        dictionary = zstandard.ZstdCompressionDict(found, dict_type=_KIND) if found else None
        self._compressor = zstandard.ZstdCompressor(
            level=self._level, dict_data=dictionary, write_checksum=self._checksum
        )
        self._current = dictionary_id

    def pack(self, data: bytes) -> bytes:
        """A frame that holds these bytes."""
        return self._compressor.compress(data)

    def unpack(self, frame: bytes) -> bytes:
        """The bytes in a frame.

        Raises:
            zstandard.ZstdError: it is damaged, or its dictionary is gone.
        """
        facts = zstandard.get_frame_parameters(frame)
        if facts.content_size > MOST_BYTES:
            raise zstandard.ZstdError("the frame claims an impossible size")
        return self._decompressor(facts.dict_id).decompress(frame)

    def _decompressor(self, dictionary_id: int) -> zstandard.ZstdDecompressor:
        if dictionary_id not in self._decompressors:
            found = self._find(dictionary_id)
            if found is None:
                raise zstandard.ZstdError(f"there is no dictionary {dictionary_id}")
            dictionary = zstandard.ZstdCompressionDict(found, dict_type=_KIND)
            self._decompressors[dictionary_id] = zstandard.ZstdDecompressor(dict_data=dictionary)
        return self._decompressors[dictionary_id]


def train(
    samples: Sequence[bytes], dictionary_id: int, *, size: int = DICTIONARY_BYTES, most: int = SAMPLE_BYTES
) -> bytes | None:
    """A dictionary for data like these samples; None when they have too little in common.

    Args:
        size: bytes of the dictionary.
        most: bytes of each sample that are looked at.

    The segment size is given, not searched for (COVER; Liao et al., Effective construction of relative
    Lempel-Ziv dictionaries, 2016), so that training takes a fraction of a second.
    """
    pieces: list[bytes | bytearray | memoryview[int]] = [sample[:most] for sample in samples]
    try:
        found = zstandard.train_dictionary(size, pieces, k=512, d=8, dict_id=dictionary_id)
    except zstandard.ZstdError:
        return None
    return found.as_bytes()
