"""Bytes: reading and writing JSON, and compressing it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator

import msgspec
import zstandard

from tiergate.bench import BenchSetup
from tiergate.model import Session, decode_session, encode
from tiergate.record import BenchRow
from tiergate_plugins.benchmarks.rounds import judged, p50_rounds, ratio_row

_DICTIONARY_BYTES = 112_640
_FAST, _DENSE = 3, 19


def rows(setup: BenchSetup, sessions: list[Session]) -> Iterator[BenchRow]:
    """Every row about bytes."""
    yield from _json(setup, sessions)
    yield from _compression(setup, sessions)


def _json(setup: BenchSetup, sessions: list[Session]) -> Iterator[BenchRow]:
    setup.progress("reading and writing JSON")
    some = sessions[:40]
    bodies = [encode(session) for session in some]
    plain = [msgspec.to_builtins(session) for session in some]
    sides = {
        "decode": lambda: [decode_session(body) for body in bodies],
        "json.loads": lambda: [json.loads(body) for body in bodies],
        "encode": lambda: [encode(session) for session in some],
        "json.dumps": lambda: [json.dumps(session).encode() for session in plain],
    }
    took = p50_rounds(sides, rounds=20, each=1 if setup.quick else 10)
    for ours, theirs in (("decode", "json.loads"), ("encode", "json.dumps")):
        yield ratio_row(
            f"codec: {ours} sessions, speed", took[theirs], took[ours], peer=theirs, target=">= 3", unit="ms"
        )


def _compression(setup: BenchSetup, sessions: list[Session]) -> Iterator[BenchRow]:
    """The dictionary is trained on sessions that are not compressed here."""
    setup.progress("compressing session bodies")
    half = len(sessions) // 2
    training: list[bytes | bytearray | memoryview] = [encode(session) for session in sessions[:half]]
    bodies = [encode(session) for session in sessions[half : half + 60]]
    dictionary = zstandard.train_dictionary(_DICTIONARY_BYTES, training)
    compressors = {
        level: zstandard.ZstdCompressor(level=level, dict_data=dictionary, write_checksum=True)
        for level in (_FAST, _DENSE)
    }
    sizes = {level: sum(len(one.compress(body)) for body in bodies) for level, one in compressors.items()}
    gzipped = sum(len(gzip.compress(body, 6)) for body in bodies)
    for label, level, target in (("fast", _FAST, ">= 1.1"), ("dense", _DENSE, ">= 1.25")):
        ratio = gzipped / sizes[level]
        yield judged(
            BenchRow(
                name=f"zstd -{level} with dictionary on session bodies, {label} level: ratio",
                value=ratio,
                interval=(ratio, ratio),
                unit="x",
                peer="gzip -6",
                target=target,
                details={"ours_bytes": float(sizes[level]), "gzip_bytes": float(gzipped)},
            )
        )
    sides = {
        "zstd": lambda: [compressors[_FAST].compress(body) for body in bodies],
        "gzip": lambda: [gzip.compress(body, 6) for body in bodies],
    }
    took = p50_rounds(sides, rounds=15, each=1)
    yield ratio_row(
        f"zstd -{_FAST} with dictionary on session bodies: speed",
        took["gzip"],
        took["zstd"],
        peer="gzip -6",
        target=">= 2.5",
        unit="ms",
    )
