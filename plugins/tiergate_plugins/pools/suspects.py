"""Requests that ended workers: known by their content, so that the same one cannot do it for ever."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import sha256

from tiergate.operation import Request
from tiergate_plugins.pools.frames import encode

STRIKES = 2
"""Workers that a request may end before it is given to none any more."""

KEPT = 1000
"""Suspects that are remembered, those that struck last."""

_Name = tuple[str, str | None]


class Suspects:
    """Counts the workers that ended while they served a request.

    Who is served after all is a suspect no more: a worker may have been killed by anybody. Requests are
    hashed only while one of the same operation and session is under suspicion.
    """

    def __init__(self) -> None:
        self._strikes: OrderedDict[bytes, tuple[_Name, int]] = OrderedDict()
        self._names: dict[_Name, int] = {}

    def strike(self, request: Request) -> int:
        """Count one more for this request; how many there are now."""
        mark = fingerprint(request)
        _, before = self._strikes.pop(mark, (None, 0))
        if not before:
            self._names[_name(request)] = self._names.get(_name(request), 0) + 1
        self._strikes[mark] = (_name(request), before + 1)
        if len(self._strikes) > KEPT:
            self._forget(next(iter(self._strikes)))
        return before + 1

    def cleared(self, request: Request) -> None:
        """It was served."""
        if self._names and _name(request) in self._names:
            self._forget(fingerprint(request))

    def is_quarantined(self, request: Request) -> bool:
        """Whether it is to be refused."""
        if not self._names or _name(request) not in self._names:
            return False
        return self._strikes.get(fingerprint(request), (None, 0))[1] >= STRIKES

    def _forget(self, mark: bytes) -> None:
        found = self._strikes.pop(mark, None)
        if found is None:
            return
        name, _ = found
        self._names[name] -= 1
        if not self._names[name]:
            del self._names[name]


def _name(request: Request) -> _Name:
    return request.operation, request.session


def fingerprint(request: Request) -> bytes:
    """Of what is asked, whoever asks: operation, session and arguments."""
    return sha256(encode((request.operation, request.session, request.arguments))).digest()[:16]


def describe(request: Request) -> str:
    """A request for an error: operation, session and the hash of its arguments."""
    session = f" of session {request.session!r}" if request.session is not None else ""
    return f"{request.operation}{session} with arguments {fingerprint(request).hex()[:12]}"
