"""What a migration is asked to do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from tiergate.binding import SCHEME, Binding, Bindings, NamedOpener, require_name
from tiergate.errors import UsageError
from tiergate.migrate.places import require_apart
from tiergate.migrate.progress import Progress, Rate, Silent
from tiergate.store import Store, StoreAddress
from tiergate.store_places import fixed, place_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One migration.

    Attributes:
        source, target: addresses of the stores themselves, no names.
        state: the state folder.
        resume: go on with one that was interrupted.
        live: the source is written meanwhile.
        bind: name to bind to the target at the end.
        rate: that no step exceeds.
    """

    source: StoreAddress
    target: StoreAddress
    opener: NamedOpener
    verify: Literal["full", "sample"] = "full"
    resume: bool = False
    live: bool = False
    bind: str | None = None
    rate: Rate | None = None
    progress: Progress = field(default_factory=Silent)

    def shown(self, progress: Progress) -> Job:
        """The same job, telling how far it is."""
        return replace(self, progress=progress)

    @property
    def state(self) -> Path:
        """The state folder."""
        return self.opener.state

    @property
    def bindings(self) -> Bindings:
        """The names that are bound here."""
        return Bindings(self.opener.state)

    @property
    def plain_target(self) -> StoreAddress:
        """The target without caches: what is moved belongs into the store itself."""
        return self.target.without_caches()

    def open_written(self, *, empty: bool) -> Store:
        """Open the target anew to read what was written to it.

        Args:
            empty: whether that was nothing; some kinds of store make no file then, that could be read.

        Raises:
            StoreError: it cannot be opened.
        """
        if empty:
            return self.opener.open(self.plain_target)
        return self.opener.open_read_only(self.plain_target)

    @property
    def options(self) -> list[str]:
        """The words of the command that make a difference to how it ends."""
        words = ["--live"] if self.live else []
        if self.bind is not None:
            words += ["--bind", self.bind]
        if self.rate is not None:
            words += ["--throttle", str(self.rate)]
        return words if self.verify == "full" else [*words, "--verify", self.verify]

    def require_sound(self) -> None:
        """Refuse what cannot be done, before anything is opened.

        Raises:
            UsageError: source and target are one, a kind of store is unknown, or the name is bound elsewhere.
        """
        self.opener.declaration(self.source)
        self.opener.declaration(self.target)
        require_apart(self.source, self.target)
        self.bound_now()

    def bound_now(self) -> Binding | None:
        """What the name to bind is bound to: the source, or nothing yet.

        Raises:
            UsageError: to another store.
        """
        if self.bind is None:
            return None
        found = self.bindings.find(require_name(self.bind))
        if found is not None and place_of(StoreAddress.parse(found.address)) != place_of(self.source):
            raise UsageError(
                f"{SCHEME}:{self.bind} is bound to {found.address}, not to the source {self.source}",
                hint=f"migrate {SCHEME}:{self.bind} itself, or bind another name",
            )
        return found


def resolved(opener: NamedOpener, address: str, *, role: str) -> StoreAddress:
    """The address of a store itself, that means the same from any folder.

    Args:
        role: ``source`` or ``target``, for the error.

    Raises:
        UsageError: it is no address, or a name that is bound to nothing.
    """
    parsed = StoreAddress.parse(address)
    if role == "target" and parsed.scheme == SCHEME:
        raise UsageError(
            "the target must be a store, not a name",
            where=address,
            hint="name the new store, and --bind NAME",
        )
    found = opener.resolve(parsed)
    return fixed(opener, found.without_caches() if role == "source" else found)


class Clock:
    """Adds up the time that each step took."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Count a block's time to a step, also when it fails."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = round(self.seconds.get(name, 0.0) + time.monotonic() - began, 6)
