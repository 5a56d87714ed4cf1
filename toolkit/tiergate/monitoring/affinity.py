"""How often a call meets the worker that served its session last, in its tier."""

from __future__ import annotations

from collections import OrderedDict

from tiergate.dispatch import Call

_KEPT = 10_000


class AffinityWatch:
    """A watcher that counts hits. Of very many sessions it remembers the last ones.

    Attributes:
        hits: calls that met that worker.
        of: calls whose session and tier had one.
    """

    def __init__(self) -> None:
        self.hits = 0
        self.of = 0
        self._last: OrderedDict[tuple[str, str], str] = OrderedDict()

    def began(self, call: Call) -> None:
        """Nothing is known of its worker yet."""

    def ended(self, call: Call) -> None:
        """Count it, where a session was named and a worker answered."""
        session, reply = call.request.session, call.reply
        if session is None or reply is None or call.choice is None or call.choice.tier is None:
            return
        key = (session, call.choice.tier)
        last = self._last.pop(key, None)
        if last is not None:
            self.of += 1
            self.hits += last == reply.worker
        self._last[key] = reply.worker
        if len(self._last) > _KEPT:
            self._last.popitem(last=False)
