"""For GitHub Actions: the summary of the job, in Markdown, and annotations, as workflow commands."""

from __future__ import annotations

from collections.abc import Iterator

from tiergate.gate.outputs.words import change, of_benchmark, of_check, of_unpaired
from tiergate.record import GateRecord

_MARKS = {"pass": "✅", "fail": "❌", "inconclusive": "❔"}
_VERDICTS = {
    "regressed": "❌ slower",
    "improved": "🚀 faster",
    "same": "✅ same",
    "inconclusive": "❔ undecided",
}

_ESCAPED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\n": " ", "\r": " "}
_ESCAPED |= {char: "\\" + char for char in "|`*_[]\\"}


def summary(record: GateRecord) -> str:
    """The verdict, then a table, worst first; what could not be compared stands below."""
    lines = [f"### {_MARKS[record.verdict]} Performance gate: {record.verdict}", ""]
    if record.subject:
        lines += [_cell(record.subject), ""]
    if record.benchmarks:
        lines += ["| | change | 95 % | benchmark |", "|---|---:|---|---|"]
        order = list(_VERDICTS)
        for one in sorted(record.benchmarks, key=lambda one: (order.index(one.verdict), -one.ratio)):
            mark = "accepted" if one.accepted else _VERDICTS[one.verdict]
            low, high = one.interval
            lines.append(
                f"| {mark} | {change(one.ratio)} | {change(low)} to {change(high)} | {_cell(one.name)} |"
            )
        lines.append("")
    if record.checks:
        lines += ["| | metric | measured |", "|---|---|---|"]
        lines += [
            f"| {_MARKS[one.verdict]} | {_cell(one.metric)} | {_cell(of_check(one))} |"
            for one in record.checks
        ]
        lines.append("")
    lines += [f"- {_cell(one.name)} {_cell(of_unpaired(one))}" for one in record.unpaired]
    lines += [f"- {_cell(remark)}" for remark in record.remarks]
    return "\n".join(lines).rstrip() + "\n"


def workflow_commands(record: GateRecord) -> Iterator[str]:
    """Workflow commands: an error for what fails the gate, a warning for what could not be decided."""
    for one in record.benchmarks:
        if one.verdict == "regressed" and not one.accepted:
            yield _command("error", one.name, of_benchmark(one))
        elif one.verdict == "inconclusive":
            yield _command("warning", one.name, of_benchmark(one))
    for check in record.checks:
        if check.verdict != "pass":
            yield _command("error" if check.verdict == "fail" else "warning", check.metric, of_check(check))
    for lost in record.unpaired:
        yield _command("error" if lost.problem == "failed" else "warning", lost.name, of_unpaired(lost))


def _command(level: str, title: str, message: str) -> str:
    return f"::{level} title={_property(title)}::{_data(message)}"


def _data(text: str) -> str:
    """Escaped as the runner unescapes it."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _cell(text: str) -> str:
    """Text that is neither markup nor the end of a cell."""
    return "".join(_ESCAPED.get(char, char) for char in text)
