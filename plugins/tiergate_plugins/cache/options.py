"""The options of the cache, as an address gives them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from tiergate.errors import UsageError
from tiergate.store import StoreAddress

LEVELS = {"fast": 1, "dense": 12}
"""zstd levels by name: beyond 12, time doubles for a percent or two of size."""

_UNITS = {"k": 2**10, "m": 2**20, "g": 2**30}


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheOptions:
    """What the cache is given.

    Attributes:
        path: of the store; None where the address has none.
        address: of the store, without caches.
        folder: where entries are kept; None where there is no place for them.
        ttl_s: an entry older than that is a miss.
        disk_bytes: about as much is kept in the folder.
        memory_bytes: about as much is kept decoded, by each instance.
        level: of zstd.
    """

    path: Path | None
    address: str
    folder: Path | None
    ttl_s: float = 7 * 86_400.0
    disk_bytes: int = 256 * 2**20
    memory_bytes: int = 64 * 2**20
    level: int = LEVELS["fast"]


def read_options(address: StoreAddress) -> CacheOptions:
    """The options in an address.

    Raises:
        UsageError: a value has no meaning.
    """
    given = address.cache_options("zstd")
    path = Path(address.path).absolute() if address.path else None
    folder = path.with_name(f"{path.name}.zstd-cache") if path else None
    if "dir" in given:
        if "\0" in given["dir"]:
            raise _refused("dir", given["dir"], address, "the path of a folder")
        folder = Path(given["dir"]).absolute()
    defaults = CacheOptions(path=path, address=str(address.without_caches()), folder=folder)
    return CacheOptions(
        path=path,
        address=defaults.address,
        folder=folder,
        ttl_s=_seconds(given["ttl"], address) if "ttl" in given else defaults.ttl_s,
        disk_bytes=_bytes(given["bytes"], "bytes", address) if "bytes" in given else defaults.disk_bytes,
        memory_bytes=(
            _bytes(given["memory"], "memory", address) if "memory" in given else defaults.memory_bytes
        ),
        level=_level(given["level"], address) if "level" in given else defaults.level,
    )


def _seconds(text: str, address: StoreAddress) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not value >= 0:
        raise _refused("ttl", text, address, "a number of seconds, at least 0")
    return value


def _bytes(text: str, name: str, address: StoreAddress) -> int:
    unit = _UNITS.get(text[-1:].lower(), 1)
    digits = text[:-1] if unit > 1 else text
    if not (digits.isascii() and digits.isdigit()):
        raise _refused(name, text, address, "a number of bytes, as 500000 or 64m")
    return int(digits) * unit


def _level(text: str, address: StoreAddress) -> int:
    if text in LEVELS:
        return LEVELS[text]
    if text.isascii() and text.isdigit() and 1 <= int(text) <= 22:
        return int(text)
    raise _refused("level", text, address, f"{' or '.join(LEVELS)}, or 1 to 22")


def _refused(name: str, text: str, address: StoreAddress, known: str) -> UsageError:
    return UsageError(f"zstd.{name} cannot be {text!r}", where=str(address), hint=f"give {known}")
