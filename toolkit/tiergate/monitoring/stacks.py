"""Where everything is at this moment: ``kill -USR1`` writes the stacks of threads, tasks and workers.

Nothing is stopped for it. Threads are written by the interpreter itself, also while the event loop hangs;
tasks and workers follow as soon as the loop runs.
"""

from __future__ import annotations

import asyncio
import faulthandler
import io
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tiergate.pool import Pool


@contextmanager
def told_on_signal(pool: Pool, write: Callable[[str], None]) -> Iterator[None]:
    """Within a block, write all stacks whenever SIGUSR1 comes; from one asyncio loop.

    Args:
        write: given the text about tasks and workers; that about threads goes to standard error.
    """
    loop = asyncio.get_running_loop()
    telling: set[asyncio.Task[None]] = set()

    async def tell() -> None:
        write(tasks_text())
        write(workers_text(dict(await pool.stacks())))

    def heard() -> None:
        task = loop.create_task(tell(), name="write stacks")
        telling.add(task)
        task.add_done_callback(telling.discard)

    loop.add_signal_handler(signal.SIGUSR1, heard)
    faulthandler.register(signal.SIGUSR1, file=2, all_threads=True, chain=True)
    try:
        yield
    finally:
        faulthandler.unregister(signal.SIGUSR1)
        # A signal that comes late must not end the process.
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        loop.remove_signal_handler(signal.SIGUSR1)
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)


def tasks_text() -> str:
    """The stacks of all tasks of the running loop."""
    here = asyncio.current_task()
    tasks = sorted((task for task in asyncio.all_tasks() if task is not here), key=asyncio.Task.get_name)
    out = io.StringIO()
    print(f"{len(tasks)} asyncio tasks:", file=out)
    for task in tasks:
        task.print_stack(file=out)
    return out.getvalue()


def workers_text(stacks: dict[str, str]) -> str:
    """What the workers told."""
    parts = [f"worker {name}:\n{text.rstrip() or '(it tells nothing)'}" for name, text in stacks.items()]
    return "\n".join(parts) + "\n" if parts else "no worker is ready\n"
