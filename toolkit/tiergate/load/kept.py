"""Sealed service times that are kept for later runs, and refused when what they depend on has changed."""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Literal

import msgspec

from tiergate.environment import cpu_model
from tiergate.errors import UsageError
from tiergate.load.oracle import Sealed
from tiergate.load.trace import Trace
from tiergate.model import Session, canonical


class Basis(msgspec.Struct, frozen=True, kw_only=True):
    """What sealed times depend on, each as a text that is compared.

    Attributes:
        trace: hash of the trace.
        sessions: hash of what the store holds when the trace begins.
        passes: how often each request was run alone.
        store: address of the store, without its path.
        pool: kind of the pool that the reference worker belongs to.
        code: hash of the modules of the operations, of the store and of the pool.
        cpu: model of the processor.
        python: version and build.
    """

    trace: str
    sessions: str
    passes: int
    store: str
    pool: str
    code: str
    cpu: str
    python: str


_WORDS = {
    "trace": "the trace",
    "sessions": "the sessions",
    "passes": "the number of passes",
    "store": "the store",
    "pool": "the pool",
    "code": "the code of operations, store or pool",
    "cpu": "the processor",
    "python": "Python",
}


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    schema: Literal["tiergate.sealed/1"] = "tiergate.sealed/1"
    sealed_at: str
    basis: Basis
    left_out: dict[int, str]
    times: list[list[float]]
    startup_s: list[float]


class Found(msgspec.Struct, frozen=True):
    """Sealed times that were kept: when they were measured, and the requests that are refused even alone."""

    sealed: Sealed
    left_out: dict[int, str]
    sealed_at: str


class SealedCache:
    """A folder of sealed times, one file for each role and workload.

    Args:
        folder: is made where it is not there.

    Attributes:
        notices: one line for each file that was refused: what has changed.

    Raises:
        UsageError: the folder cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.notices: list[str] = []
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"cannot be used as a folder: {error.strerror}", where=str(folder)) from error

    def find(self, name: str, basis: Basis) -> Found | None:
        """What was kept under a name, or None where nothing was, or where it is stale or damaged."""
        path = self._path(name)
        try:
            kept = msgspec.json.decode(path.read_bytes(), type=_Kept)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError) as error:
            self.notices.append(
                f"{path}: sealed labels refused and measured anew: {' '.join(str(error).split())}"
            )
            return None
        changed = [
            words for field, words in _WORDS.items() if getattr(kept.basis, field) != getattr(basis, field)
        ]
        if changed:
            self.notices.append(
                f"{path}: sealed labels of {kept.sealed_at} refused and measured anew: changed since:"
                f" {', '.join(changed)}"
            )
            return None
        return Found(Sealed(kept.times, kept.startup_s, {}), kept.left_out, kept.sealed_at)

    def keep(self, name: str, basis: Basis, sealed: Sealed, left_out: dict[int, str]) -> None:
        """Keep sealed times in the place of what was under that name.

        Raises:
            UsageError: the file cannot be written.
        """
        kept = _Kept(
            sealed_at=datetime.now(UTC).isoformat(timespec="seconds"),
            basis=basis,
            left_out=left_out,
            times=[list(times) for times in sealed.times],
            startup_s=list(sealed.startup_s),
        )
        path = self._path(name)
        beside = path.with_name(f".{path.name}.new")
        try:
            beside.write_bytes(msgspec.json.encode(kept))
            beside.replace(path)
        except OSError as error:
            raise UsageError(f"cannot be written: {error.strerror}", where=str(path)) from error

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"


def basis_of(
    trace: Trace,
    sessions: Sequence[Session],
    *,
    passes: int,
    store: str,
    pool: str,
    references: Sequence[str],
) -> Basis:
    """What sealed times of this trace depend on here and now.

    Args:
        references: of the plugins whose code the reference worker runs.
    """
    held = sha256()
    for session in sessions:
        held.update(canonical(session))
    return Basis(
        trace=trace.sha256,
        sessions=held.hexdigest(),
        passes=passes,
        store=store,
        pool=pool,
        code=_code(references),
        cpu=cpu_model(),
        python=f"{platform.python_implementation()} {sys.version}",
    )


def _code(references: Sequence[str]) -> str:
    """The hash of every module of the packages in which the plugins lie, and of tiergate's own contracts."""
    files: set[Path] = set()
    for reference in (*references, "tiergate.worker", "tiergate.store", "tiergate.model"):
        module = sys.modules.get(reference.partition(":")[0])
        source = getattr(module, "__file__", None)
        if source is None:
            continue
        path = Path(source)
        files |= {path} if reference.startswith("tiergate.") else set(path.parent.glob("*.py"))
    found = sha256()
    for path in sorted(files):
        found.update(f"{path.name}\0".encode() + sha256(path.read_bytes()).digest())
    return found.hexdigest()
