"""The page: what it says, what it lets in, and what it does with records that lack something."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace
from parsed_page import Page

from tiergate.record import (
    Affinity,
    ClassLatency,
    Comparison,
    Event,
    GateCheck,
    GateRecord,
    Knee,
    Latency,
    Regret,
    RequestCounts,
    RunRecord,
    SeriesPoint,
    Source,
    SweepPoint,
    TierAccuracy,
    Variant,
    read_record,
)
from tiergate_reports.plugin import render
from tiergate_reports.sections import SECTIONS, resources, routers

NOTHING = Latency(p50=0, p90=0, p95=0, p99=0, p999=0, max=0)
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7 * 7 }}&amp;'


def with_variant(run: RunRecord, number: int, **changes: Any) -> RunRecord:
    variants = list(run.variants)
    variants[number] = replace(variants[number], **changes)
    return replace(run, variants=variants)


def heuristic(run: RunRecord) -> tuple[Variant, TierAccuracy]:
    accuracy = run.variants[2].tier_accuracy
    assert accuracy is not None
    return run.variants[2], accuracy


def test_the_sections_come_in_order_and_each_is_explained(run_record: RunRecord) -> None:
    text = render([run_record])
    page = Page(text)
    assert [attributes["id"] for attributes in page.all("section")] == [section.name for section in SECTIONS]
    assert [attributes["href"] for attributes in page.all("a")][1 : len(SECTIONS) + 1] == [
        f"#{s.name}" for s in SECTIONS
    ]
    for section in SECTIONS[1:]:
        block = text.split(f'<section id="{section.name}"')[1].split("</section>")[0]
        lead = re.search(r'<p class="lead">([^<]+)</p>', block)
        assert lead is not None, section.name
        assert len(lead[1].split()) > 8


@pytest.mark.parametrize(
    "term",
    [
        "Regret",
        "Balanced accuracy",
        "Slowdown",
        "Response time",
        "Service time",
        "Ambiguous",
        "Affinity hits",
        "Measured",
    ],
)
def test_figures_that_are_not_self_evident_are_explained_beside_them(
    run_record: RunRecord, gate_of: Callable[..., GateRecord], term: str
) -> None:
    above_the_glossary = render([run_record, gate_of()]).split("Glossary</h3>")[0]
    found = re.search(rf"<dt>{term}</dt><dd>([^<]+)</dd>", above_the_glossary)
    assert found is not None
    assert found[1].endswith(".")


def test_the_policy_allows_this_very_style_and_script_and_nothing_else(run_record: RunRecord) -> None:
    text = render([run_record])
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    script = re.search(r"<script>(.*?)</script>", text, re.DOTALL)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)
    assert style is not None
    assert script is not None
    assert policy is not None
    style_hash, script_hash = (
        base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode() for found in (style, script)
    )
    directives = dict(part.strip().split(" ", 1) for part in policy[1].replace("&#39;", "'").split(";"))
    assert directives == {
        "default-src": "'none'",
        "style-src": f"'sha256-{style_hash}'",
        "script-src": f"'sha256-{script_hash}'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def test_nothing_is_loaded_and_nothing_runs_but_the_page_s_own_script(
    run_record: RunRecord, gate_of: Callable[..., GateRecord]
) -> None:
    text = render([run_record, gate_of()])
    page = Page(text)
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"iframe", "object", "embed", "form", "base", "img"}
    assert [attributes for tag, attributes in page.elements if tag == "script"] == [{}]
    assert not [
        name
        for _, attributes in page.elements
        for name in attributes
        if name.startswith("on") or name == "style"
    ]
    assert not re.search(r"https?://|@import|url\(", text)
    links = [
        attributes[name] or ""
        for _, attributes in page.elements
        for name in ("href", "src")
        if name in attributes
    ]
    assert all(link.startswith(("#", "data:application/gzip;")) or link == "data:," for link in links)


def test_links_and_ids_fit_together(run_record: RunRecord) -> None:
    page = Page(render([run_record]))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.elements:
        for name in ("aria-labelledby", "aria-describedby"):
            assert set((attributes.get(name) or "").split()) <= set(ids)
        if (attributes.get("href") or "").startswith("#"):
            assert (attributes["href"] or "")[1:] in ids


def test_the_page_is_fit_for_readers_of_all_kinds(
    run_record: RunRecord, gate_of: Callable[..., GateRecord]
) -> None:
    text = render([run_record, gate_of()])
    page = Page(text)
    assert page.all("html") == [{"lang": "en"}]
    assert {"name": "color-scheme", "content": "light dark"} in page.all("meta")
    assert text.count("<caption>") == text.count("<table")
    assert len(page.all("h1")) == 1
    assert all(attributes.get("scope") for attributes in page.all("th"))
    regions = [
        attributes for _, attributes in page.elements if "scroll" in (attributes.get("class") or "").split()
    ]
    assert len(regions) == text.count("<table")
    assert all(region.get("tabindex") == "0" and region.get("aria-label") for region in regions)
    for attributes in page.all("svg"):
        assert attributes.get("role") == "img" or attributes.get("aria-hidden") == "true"


def test_the_same_records_give_the_same_page_and_a_small_one(
    run_record: RunRecord, gate_of: Callable[..., GateRecord]
) -> None:
    text = render([run_record, gate_of()])
    assert text == render([run_record, gate_of()])
    assert len(text.encode()) < 250_000


def test_the_records_are_in_the_page_and_can_be_read_again(
    run_record: RunRecord, gate_of: Callable[..., GateRecord], tmp_path: Path
) -> None:
    page = Page(render([run_record, gate_of()]))
    links = {one["download"]: one["href"] or "" for one in page.all("a") if one.get("download")}
    assert set(links) == {"run.json.gz", "gate.json.gz"}
    for name, expected in (("run.json.gz", run_record), ("gate.json.gz", gate_of())):
        assert name
        head, packed = links[name].split(",", 1)
        assert head == "data:application/gzip;base64"
        (tmp_path / str(name)).write_bytes(base64.b64decode(packed))
        assert read_record(tmp_path / str(name)) == expected


def test_a_record_that_would_make_the_page_too_large_is_named_only(run_record: RunRecord) -> None:
    random = Random(1)
    noise = [f"{random.randrange(16**30):030x}" for _ in range(20_000)]
    page = Page(render([replace(run_record, command=noise)]))
    assert [one for one in page.all("a") if one.get("download")] == []
    assert "run.json.gz (too large to be in a page)" in page.words()


def test_a_long_run_stays_well_under_half_a_megabyte(run_record: RunRecord) -> None:
    series = [
        SeriesPoint(at_s=float(n), requests=9, p50_ms=1.0 + n % 7, p95_ms=9.0 + n % 11) for n in range(9000)
    ]
    events = [Event(round=n, at_s=1.0, kind="spawn", worker=f"cold-{n}") for n in range(4000)]
    run = replace(
        run_record, variants=[replace(v, series=series, events=events) for v in run_record.variants]
    )
    text = render([run])
    assert len(text.encode()) < 500_000
    assert f"the first {resources.MOST_EVENTS}; the record has 3,940 more" in text


def test_a_run_without_a_gate_is_not_judged(run_record: RunRecord) -> None:
    shown = Page(render([run_record])).words("verdict")
    assert shown.startswith("Verdict Not judged No gate record came with this run.")
    assert "tiergate gate check" in shown


def test_a_gain_that_long_requests_pay_for_is_said(run_record: RunRecord) -> None:
    shown = Page(render([run_record])).words("comparisons")
    assert "size-heuristic pays for short requests with long ones" in shown
    assert "oracle gains for short requests" in shown
    assert "whether long ones lose is not decided" in shown
    assert "least-work-left pays" not in shown
    assert "least-work-left gains" not in shown


def test_a_gain_without_a_price_is_not_called_one(run_record: RunRecord) -> None:
    pair = [
        Comparison(
            variant="size-heuristic",
            against="shared-queue",
            metric=f"by_length.{who}.response_ms.p95",
            ratio=0.8,
            interval=(0.7, 0.9),
        )
        for who in ("short", "long")
    ]
    shown = Page(render([replace(run_record, comparisons=pair)])).words("comparisons")
    assert "pays for" not in shown
    assert "lower, better" in shown


def test_sources_and_their_statuses_are_counted(run_record: RunRecord) -> None:
    shown = Page(render([run_record])).words("workload")
    assert "1,046 tasks in 13 sessions came from 2 sources." in shown
    assert "tombstone abandoned 251" in shown
    assert "hooked active 23" in shown
    assert run_record.workload.sha256 in shown


def test_the_oracle_is_a_bound_and_not_a_contestant(run_record: RunRecord) -> None:
    shown = Page(render([run_record])).words("routers")
    assert "oracle a bound, not a contestant" in shown
    assert "size-heuristic judged by the gate" in shown


def test_routers_without_a_tier_have_no_accuracy(run_record: RunRecord) -> None:
    page = Page(render([run_record]))
    assert "No accuracy is shown for shared-queue and least-work-left" in page.words("accuracy")
    assert page.words("routers").count("n/a chooses no tier") == 6


def test_words_from_outside_stay_words(run_record: RunRecord, gate_of: Callable[..., GateRecord]) -> None:
    variant, accuracy = heuristic(run_record)
    bad = replace(
        accuracy,
        controls=[replace(accuracy.controls[0], name=HOSTILE)],
        errors=[replace(accuracy.errors[0], operation=HOSTILE, belongs=HOSTILE)],
        regret=None,
        regret_detail=Regret(value=None, interval=None, reason=HOSTILE),
    )
    run = with_variant(
        run_record,
        2,
        name=HOSTILE,
        router=HOSTILE,
        summary=HOSTILE,
        pool=HOSTILE,
        tier_accuracy=bad,
        by_class={HOSTILE: ClassLatency(requests=1, response_ms=variant.response_ms), **variant.by_class},
        events=[Event(round=1, at_s=0.5, kind=HOSTILE, worker=HOSTILE, detail=HOSTILE)],
        histogram={"hot": HOSTILE, "warm": "", "cold": "AAAA"},
    )
    run = replace(
        run,
        configured_router=HOSTILE,
        command=["tiergate", HOSTILE],
        too_few=[HOSTILE],
        remarks=[HOSTILE],
        workload=replace(
            run.workload, name=HOSTILE, effort=HOSTILE, parameters={HOSTILE: {HOSTILE: [HOSTILE]}}
        ),
        environment=replace(run.environment, cpu=HOSTILE, git_commit=HOSTILE),
        sources=[
            Source(
                path=HOSTILE,
                format=HOSTILE,
                sessions=1,
                tasks=1,
                statuses={HOSTILE: (HOSTILE, 1)},
                notes=[HOSTILE],
            )
        ],
        plugins=[replace(run.plugins[0], name=HOSTILE)],
        comparisons=[replace(c, variant=HOSTILE, metric=HOSTILE) for c in run.comparisons[:1]],
        oracle=replace(run.oracle, classes={HOSTILE: 3}, simulated={HOSTILE: 1.0}),
    )
    check = GateCheck(
        metric=HOSTILE,
        value=1,
        interval=(0, 2),
        budget=HOSTILE,
        verdict="fail",
        title=HOSTILE,
        reason=HOSTILE,
    )
    plain, text = (
        render([run_record, gate_of("fail")]),
        render([run, gate_of("fail", subject=HOSTILE, checks=[check])]),
    )
    assert text.count("<script") == 1
    assert "<img" not in text
    assert "49" not in Page(text).words("verdict")
    assert {tag for tag, _ in Page(text).elements} <= {tag for tag, _ in Page(plain).elements}
    assert Page(text).words("workload").count(HOSTILE) >= 5


def test_a_run_in_which_nothing_completed_is_a_page_all_the_same(run_record: RunRecord) -> None:
    nobody = {name: ClassLatency(requests=0, response_ms=None) for name in ("hot", "warm", "cold")}
    lengths = {name: ClassLatency(requests=0, response_ms=None) for name in ("short", "long")}
    variants = [
        replace(
            v,
            requests=RequestCounts(offered=9, completed=0, failed=4, timed_out=3, dropped=2),
            achieved_rps=0,
            response_ms=NOTHING,
            service_ms=NOTHING,
            lateness_ms=NOTHING,
            by_class=nobody,
            by_length=lengths,
            intervals={},
            histogram={},
            series=[],
            events=[],
            affinity=Affinity(hit_rate=None, max_load_ratio=0),
        )
        for v in run_record.variants
    ]
    page = Page(render([replace(run_record, variants=variants, comparisons=[])]))
    shown = page.words("routers")
    assert "no router was measured" in shown
    assert "n/a no request completed" in shown
    assert "n/a no session came twice" in shown
    assert "9 4 failed, 3 timed out, 2 dropped" in shown
    assert "0 of 9 requests over 5 rounds and lost 9" in page.words("verdict")
    assert "nothing was measured" in page.words("latency")
    assert "n/a no hot requests completed" in page.words("latency")
    assert "No events were recorded." in page.words("resources")
    assert "This run compares nothing" in page.words("comparisons")


def test_routers_that_did_not_do_the_same_work_are_pointed_out(run_record: RunRecord) -> None:
    assert routers.uneven(run_record) == ""
    counts = RequestCounts(offered=12000, completed=11990, failed=0, timed_out=10, dropped=0)
    shown = Page(render([with_variant(run_record, 0, requests=counts)])).words("routers")
    assert "Not every router completed as many requests (from 11,990 to 12,000)" in shown


def test_undefined_regret_says_why(run_record: RunRecord) -> None:
    _, accuracy = heuristic(run_record)
    reason = "the oracle's gain cannot be told from none"
    bare = replace(
        accuracy,
        regret=None,
        regret_detail=Regret(value=None, interval=None, reason=reason),
        controls=[],
        errors=[],
    )
    page = Page(render([with_variant(run_record, 2, tier_accuracy=bare, intervals={})]))
    assert "0.918 n/a undefined" in page.words("routers")
    assert f"Regret is undefined for size-heuristic: {reason}." in page.words("routers")
    assert f"Regret is undefined for size-heuristic: {reason}." in page.words("accuracy")
    assert "No controls were recorded" in page.words("accuracy")
    assert "No wrong choice was recorded." in page.words("accuracy")


def test_a_router_without_skill_is_called_that(run_record: RunRecord) -> None:
    _, accuracy = heuristic(run_record)
    shown = Page(
        render([with_variant(run_record, 2, tier_accuracy=replace(accuracy, balanced_accuracy=0.39))])
    ).words("accuracy")
    assert "It is no better than the control “payload size only”" in shown


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_few_or_no_routers_make_a_page(run_record: RunRecord, kept: int) -> None:
    run = replace(
        run_record, variants=run_record.variants[:kept], comparisons=[], sources=[], plugins=[], remarks=[]
    )
    page = Page(render([run]))
    assert "size-heuristic is not among the" in page.words("verdict")
    assert "No router of this run chooses a tier." in page.words("accuracy")
    assert "The record names no source." in page.words("workload")


def test_ten_routers_keep_apart_ids_and_repeat_colours(run_record: RunRecord) -> None:
    variants = [replace(run_record.variants[n % 4], name=f"router-{n}") for n in range(10)]
    page = Page(render([replace(run_record, variants=variants)]))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert "router-9" in page.words("routers")


def test_a_sweep_is_drawn_and_its_knees_are_listed(run_record: RunRecord) -> None:
    points = [
        SweepPoint(
            offered_rps=rate,
            achieved_rps=min(rate, 150.0),
            p95_ms=rate / 4,
            rounds=3,
            kept_up=kept,
            limit=limit,
        )
        for rate, kept, limit in ((50.0, 3, ""), (100.0, 3, ""), (200.0, 0, "answers"))
    ]
    knee = Knee(rps=141.4, interval=(100.0, 200.0), reason="the next rate left answers behind")
    swept = replace(run_record.variants[0], sweep=points, knee=knee)
    text = render([replace(run_record, variants=[swept, *run_record.variants[1:]])])
    shown = Page(text).words("sweep")
    assert "141" in shown
    assert "100–200" in shown
    assert "0 of 3" in shown
    assert "answers came too late" in shown
    assert "sweep-achieved" in text
    assert "This run swept no rate" in Page(render([run_record])).words("sweep")
