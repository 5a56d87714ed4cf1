"""Compressing and decompressing with a dictionary that is trained on the data and kept with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import zstandard

FIRST_ID = 32_768
"""Smaller dictionary ids are reserved by the zstd format (RFC 8878, section 5)."""

DICTIONARY_BYTES = 64 * 1024
SAMPLE_BYTES = 16 * 1024

TRAIN_AT = (64, 4096)
"""A dictionary is trained when that many contents were written, and again when there are many more."""

MOST_BYTES = 2**31
"""A frame that claims to hold more is damaged."""


class Frames:
    """Makes and reads frames.

    Args:
        level: of zstd.
        find: the dictionary of an id as it was kept, or None.
    """

    def __init__(self, level: int, find: Callable[[int], bytes | None]) -> None:
        self._level = level
        self._find = find
        self._current = 0
        self._compressor = zstandard.ZstdCompressor(level=level)
        self._decompressors: dict[int, zstandard.ZstdDecompressor] = {0: zstandard.ZstdDecompressor()}

    @property
    def current(self) -> int:
        """Id of the dictionary that new frames use; 0 for none."""
        return self._current

    def use(self, dictionary_id: int) -> None:
        """Compress with this dictionary from now on, where it can be found."""
        found = self._find(dictionary_id)
        if found is None:
            return
        dictionary = zstandard.ZstdCompressionDict(found, dict_type=zstandard.DICT_TYPE_FULLDICT)
        self._compressor = zstandard.ZstdCompressor(level=self._level, dict_data=dictionary)
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
            dictionary = zstandard.ZstdCompressionDict(found, dict_type=zstandard.DICT_TYPE_FULLDICT)
            self._decompressors[dictionary_id] = zstandard.ZstdDecompressor(dict_data=dictionary)
        return self._decompressors[dictionary_id]


def train(samples: Sequence[bytes], dictionary_id: int) -> bytes | None:
    """A dictionary for data like these samples; None when they have too little in common.

    The segment size is given, not searched for (COVER; Liao et al., Effective construction of relative
    Lempel-Ziv dictionaries, 2016), so that training takes a fraction of a second.
    """
    pieces: list[bytes | bytearray | memoryview[int]] = [sample[:SAMPLE_BYTES] for sample in samples]
    try:
        found = zstandard.train_dictionary(DICTIONARY_BYTES, pieces, k=512, d=8, dict_id=dictionary_id)
    except zstandard.ZstdError:
        return None
    return found.as_bytes()
