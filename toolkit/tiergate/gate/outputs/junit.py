"""JUnit XML, as continuous integration shows tests: a case for whatever was judged or could not be."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, SubElement, tostring

from tiergate.gate.outputs.words import of_benchmark, of_check, of_unpaired
from tiergate.record import GateRecord

_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(record: GateRecord) -> bytes:
    """A slowdown or broken budget is a failure, a benchmark that broke an error, an undecided one skipped."""
    suite = Element("testsuite", name="tiergate gate", timestamp=record.created_at or "1970-01-01T00:00:00")
    for one in record.benchmarks:
        failed = one.verdict == "regressed" and not one.accepted
        kind = "failure" if failed else "skipped" if one.verdict == "inconclusive" else ""
        _case(suite, one.name, kind, of_benchmark(one), one.seconds)
    for check in record.checks:
        kind = {"fail": "failure", "inconclusive": "skipped"}.get(check.verdict, "")
        _case(suite, check.metric, kind, of_check(check))
    for lost in record.unpaired:
        _case(suite, lost.name, "error" if lost.problem == "failed" else "skipped", of_unpaired(lost))
    for name, element in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(len(suite.findall(f"testcase/{element}"))))
    suite.set("tests", str(len(suite.findall("testcase"))))
    suite.set("time", f"{record.duration_s:.3f}")
    root = Element("testsuites")
    root.append(suite)
    text: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return text


def _case(suite: Element, name: str, kind: str, text: str, seconds: float = 0.0) -> None:
    file, _, test = _clean(name).rpartition("::")
    case = SubElement(suite, "testcase", classname=file or "gate", name=test, time=f"{seconds:.3f}")
    if kind:
        SubElement(case, kind, message=_clean(text)).text = _clean(text)
    else:
        SubElement(case, "system-out").text = _clean(text)


def _clean(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return _NO_XML.sub("\ufffd", text)
