"""Samples as they are gathered in a process, and as they are handed over."""

from __future__ import annotations

from collections import deque

import msgspec

from tiergate.profiler import Frame, Stack


class ServedRequest(msgspec.Struct, array_like=True, frozen=True):
    """A request that a worker began; `service_ns` is None until it is answered."""

    number: int
    operation: str
    service_ns: int | None = None


class Chunk(msgspec.Struct, kw_only=True):
    """What was gathered since the last one; complete in itself.

    Attributes:
        frames: each once.
        stacks: each once, as indices of frames, the outermost first.
        samples: number of the request that was being served or None, index of the stack, how often it was
            seen, and the seconds that it stands for.
        requests: those that were begun or answered.
        ends: whether the process has nothing more to hand over.
    """

    frames: list[Frame] = []
    stacks: list[list[int]] = []
    samples: list[tuple[int | None, int, int, float]] = []
    requests: list[ServedRequest] = []
    ends: bool = False


class Gatherer:
    """Takes samples from a profiler, whatever thread it calls from; they are taken out from another one.

    Attributes:
        serving: the number of the request that is being served, None between two.
    """

    def __init__(self) -> None:
        self.serving: int | None = None
        # Appending to and taking from a deque needs no lock, which a sample would have to wait for.
        self._samples: deque[tuple[int | None, Stack, float]] = deque()
        self._requests: deque[ServedRequest] = deque()

    def saw(self, stack: Stack, seconds: float) -> None:
        """Keep a sample."""
        self._samples.append((self.serving, stack, seconds))

    def served(self, request: ServedRequest) -> None:
        """Keep that a request was begun, or answered."""
        self._requests.append(request)

    def take(self) -> Chunk:
        """What was gathered since the last call."""
        found: dict[tuple[int | None, Stack], tuple[int, float]] = {}
        for _ in range(len(self._samples)):
            serving, stack, seconds = self._samples.popleft()
            count, total = found.get((serving, stack), (0, 0.0))
            found[serving, stack] = count + 1, total + seconds
        frames: dict[Frame, int] = {}
        stacks: dict[Stack, int] = {}
        chunk = Chunk(requests=[self._requests.popleft() for _ in range(len(self._requests))])
        for (serving, stack), (count, total) in found.items():
            if stack not in stacks:
                stacks[stack] = len(stacks)
                chunk.stacks.append([frames.setdefault(frame, len(frames)) for frame in stack])
            chunk.samples.append((serving, stacks[stack], count, total))
        chunk.frames = list(frames)
        return chunk
