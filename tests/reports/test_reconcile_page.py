"""The page and the Markdown of a reconciliation: what they show, and that no text acts in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser

import pytest
from reconcile_desk import A, full, make_record

from tiergate.errors import UsageError
from tiergate.model import Status
from tiergate.reconcile_record import (
    Decision,
    Finding,
    FindingKind,
    Phase,
    PlannedTask,
    Roadmap,
    TaskRef,
)
from tiergate_plugins.exporters.markdown import render as render_markdown
from tiergate_reports.charts.graph import Node, graph
from tiergate_reports.figures import hours
from tiergate_reports.render import render

HOSTILE = "<script>alert(1)</script> \u202e | `x` [a](javascript:b) \x1b[31m"


@dataclass
class Seen:
    words: str
    tags: list[tuple[str, dict[str, str | None]]]


def seen(page: str) -> Seen:
    found: Seen = Seen("", [])

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.tags.append((tag, dict(attrs)))

        def handle_data(self, data: str) -> None:
            found.words += f" {data}"

    Reader().feed(page)
    return found


def test_the_verdict_stands_first_and_everything_is_shown() -> None:
    page = seen(render([full("Write the pool")]))
    words = " ".join(page.words.split())
    assert words.index("Contradictions") < words.index("What to run next") < words.index("duplicate")
    for text in (
        "83 %",
        "17 %",
        "Open questions",
        "newest",
        "1–2 h",
        "quick win",
        "no session has it",
        "S/1 → T/2",
    ):
        assert text in words
    headings = [tag for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert headings[0] == "h1"
    assert "h4" not in headings


@pytest.mark.parametrize(
    ("findings", "asked", "word"),
    [
        ([], False, "In agreement"),
        ([], True, "Open questions"),
        (["low"], False, "In agreement"),
        (["medium"], False, "Worth a look"),
        (["medium", "high"], True, "Contradictions"),
    ],
)
def test_the_word_of_the_verdict(findings: list[str], asked: bool, word: str) -> None:
    record = make_record(
        findings=[
            Finding(kind=FindingKind.STALE, severity=one, tasks=(A,), message="m")  # type: ignore[arg-type]
            for one in findings
        ],
        decisions=[Decision(tasks=(A,), rule="ask", outcome="?", trace=())] if asked else [],
    )
    assert f'<p class="word">{word}</p>' in render([record])


def test_no_text_of_a_source_acts_in_the_page() -> None:
    page = render([full(HOSTILE)])
    found = seen(page)
    assert not [tag for tag, _ in found.tags if tag in ("iframe", "img", "object")]
    assert [attrs for tag, attrs in found.tags if tag == "script"] == [{}]
    assert not [attrs for _, attrs in found.tags if any(name.startswith("on") for name in attrs)]
    links = [attrs.get("href") or attrs.get("src") for _, attrs in found.tags]
    assert all(link.startswith(("#", "data:")) for link in links if link)
    assert "\u202e" not in page
    assert "\x1b" not in page


def test_no_text_of_a_source_acts_in_markdown() -> None:
    text = render_markdown([full(HOSTILE)])
    assert "\u202e" not in text
    assert "\x1b" not in text
    text = re.sub(r"(?<!\\)`[^`\n]*`", "", text)  # what stands in a code span is shown as it is
    assert "<script" not in text.replace("\\<script", "")
    assert "](javascript" not in text.replace("\\](javascript", "").replace("]\\(", "")
    rows = [line for line in text.splitlines() if line.startswith("| critical")]
    assert len(rows) == 1
    assert len(re.findall(r"(?<!\\)\|", rows[0])) == 5


def test_markdown_says_what_the_page_says() -> None:
    text = render_markdown([full("Write the pool")])
    assert text.startswith("# 1 session reconciled\n")
    for part in (
        "Findings: 1 critical, 1 medium. Open questions: 1.",
        "- [ ] Write the pool, after S/1",
        "83%",
    ):
        assert part in text
    assert "None." in render_markdown([make_record()])


def test_markdown_is_made_of_one_reconciliation() -> None:
    with pytest.raises(UsageError, match="one reconciliation record"):
        render_markdown([])


def test_many_findings_make_a_page_of_bounded_size() -> None:
    findings = [
        Finding(kind=FindingKind.STALE, severity="low", tasks=(A,), message=f"finding {number}")
        for number in range(5_000)
    ]
    page = render([make_record(findings=findings)])
    assert len(page) < 400_000
    assert "4500 more" in page.replace(",", "")


def test_a_large_roadmap_is_not_drawn() -> None:
    tasks = tuple(
        PlannedTask(
            task=TaskRef("s", "S", str(n)),
            title="t",
            status=Status.QUEUED,
            blocked_by=(TaskRef("s", "S", str(n - 1)),) if n else (),
        )
        for n in range(61)
    )
    roadmap = Roadmap(phases=(Phase(name="p", tasks=tasks),), critical_path=())
    assert "roadmap-graph" not in render([make_record(roadmap=roadmap)])
    few = Roadmap(phases=(Phase(name="p", tasks=tasks[:60]),), critical_path=())
    assert "roadmap-graph" in render([make_record(roadmap=few)])


def test_a_drawing_has_every_node_and_edge() -> None:
    nodes = [Node("a", "S/a", "A", ()), Node("b", "S/b", "B", ("a",)), Node("c", "S/c", "C", ("a", "b"))]
    svg = graph(nodes, "t", "d", "g")
    assert svg.count("<rect") == 3
    assert svg.count("<path") == 3
    places = [float(x) for x in re.findall(r'<rect x="([\d.]+)"', svg)]
    assert places == sorted(places)
    assert len(set(places)) == 3


@pytest.mark.parametrize(
    ("low", "high", "words"), [(1, 2, "1–2 h"), (0.5, 0.5, "0.5 h"), (24, 40, "3–5 days"), (6, 12, "6–12 h")]
)
def test_ranges_of_time(low: float, high: float, words: str) -> None:
    assert hours(low, high) == words
