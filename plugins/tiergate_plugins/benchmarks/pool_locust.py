"""Locust's user loop: users without a pause, whose task does nothing. Run in a process of its own.

With ``recorded`` each no-op is reported as a request, as a load test does it, so that it stands in Locust's
statistics; without, the loop turns for nothing.
"""

from __future__ import annotations

import json
import sys
import time

import gevent
from locust import User, constant, task
from locust.env import Environment

_USERS = 10


class NoOp(User):
    """A user that asks for nothing, as often as it can."""

    wait_time = constant(0)
    recorded = False
    done = 0

    @task
    def no_op(self) -> None:
        """Do nothing, and report it where that is asked for."""
        NoOp.done += 1
        if self.recorded:
            self.environment.events.request.fire(
                request_type="no-op",
                name="no-op",
                response_time=0.0,
                response_length=0,
                exception=None,
                context={},
            )


def main(recorded: bool, seconds: float) -> None:
    """Print how many no-ops were done and recorded, and in which time."""
    NoOp.recorded = recorded
    environment = Environment(user_classes=[NoOp])
    runner = environment.create_local_runner()
    runner.start(_USERS, spawn_rate=_USERS)
    gevent.sleep(seconds / 4)
    before, start = (NoOp.done, environment.stats.total.num_requests), time.perf_counter()
    gevent.sleep(seconds)
    took = time.perf_counter() - start
    found = {
        "requests": NoOp.done - before[0],
        "recorded": environment.stats.total.num_requests - before[1],
        "seconds": took,
    }
    runner.quit()
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1] == "recorded", float(sys.argv[2]))
