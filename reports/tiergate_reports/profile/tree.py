"""Stacks of a profile as trees of calls: what a flame graph draws."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tiergate.profile_record import ProfileFrame, ProfileRecord, ProfileStack

IDLE = "idle"
"""The component of a process that waits for something to do; it is left out."""

COORDINATOR = "coordinator"


@dataclass(slots=True)
class Call:
    """A call and what it calls.

    Attributes:
        name: of the function, or of a tier, a worker, an operation.
        place: file and line; empty for what is no function.
        component: the part of the system that most of its time counts for.
        value: seconds in which it was on the stack.
        base: likewise in the profile that this one is compared with.
        parts: seconds by component.
    """

    name: str
    place: str = ""
    value: float = 0.0
    base: float = 0.0
    parts: dict[str, float] = field(default_factory=dict)
    calls: dict[tuple[str, str], Call] = field(default_factory=dict)

    @property
    def component(self) -> str:
        """The part of the system that most of its time counts for."""
        return max(self.parts, key=self.parts.__getitem__, default="")

    def child(self, name: str, file: str = "", place: str = "") -> Call:
        """The call of that name below this one; the same function wherever in its file it begins."""
        found = self.calls.get((name, file))
        if found is None:
            found = self.calls[name, file] = Call(name, place)
        return found

    def add(self, component: str, seconds: float, *, is_base: bool) -> None:
        """Count time in which this was on the stack."""
        if is_base:
            self.base += seconds
        else:
            self.value += seconds
            self.parts[component] = self.parts.get(component, 0.0) + seconds


def by_operation(record: ProfileRecord) -> Call:
    """All workers together, by what they served, and the coordinator beside them."""
    root = Call("all work")
    add(root, record, is_base=False)
    return root


def by_worker(record: ProfileRecord) -> Call:
    """By tier, worker and operation."""
    root = Call("all work")
    for stack in _working(record):
        process = record.processes[stack.process]
        heads = [process.tier, process.name] if process.tier else [process.name]
        _grow(root, [*heads, *_operation(record, stack)], record.frames, stack, 1.0, is_base=False)
    return root


def difference(record: ProfileRecord, base: ProfileRecord) -> Call:
    """One tree of both, in seconds for as many requests as `record` served."""
    root = Call("all work")
    add(root, record, is_base=False)
    add(root, base, is_base=True, scale=served(record) / served(base))
    return root


def served(record: ProfileRecord) -> int:
    """Requests of the profiled rounds."""
    return max(1, sum(operation.requests for operation in record.operations))


def add(root: Call, record: ProfileRecord, *, is_base: bool, scale: float = 1.0) -> None:
    """Let a tree by operation grow by the stacks of a record."""
    for stack in _working(record):
        _grow(root, _operation(record, stack), record.frames, stack, scale, is_base=is_base)


def _working(record: ProfileRecord) -> Iterator[ProfileStack]:
    return (stack for stack in record.stacks if stack.component != IDLE)


def _operation(record: ProfileRecord, stack: ProfileStack) -> list[str]:
    if stack.operation:
        return [stack.operation]
    is_worker = bool(record.processes[stack.process].tier)
    return ["between two requests"] if is_worker else [COORDINATOR]


def _grow(
    root: Call,
    heads: Sequence[str],
    frames: Sequence[ProfileFrame],
    stack: ProfileStack,
    scale: float,
    *,
    is_base: bool,
) -> None:
    seconds = stack.seconds * scale
    at = root
    at.add(stack.component, seconds, is_base=is_base)
    for head in dict.fromkeys(heads):
        at = at.child(head)
        at.add(stack.component, seconds, is_base=is_base)
    for number in stack.frames:
        frame = frames[number]
        place = f"{frame.file}:{frame.line}" if frame.line else frame.file
        at = at.child(frame.function, frame.file, place)
        at.add(stack.component, seconds, is_base=is_base)
