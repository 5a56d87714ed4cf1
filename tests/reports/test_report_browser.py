"""The page in a real browser: it fits, it can be read in light and dark, and it breaks no rule of its own."""

from __future__ import annotations

import html
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from msgspec.structs import replace
from profile_page_desk import make_profile
from reconcile_desk import full

from tiergate.profile_record import HotSpot
from tiergate.record import GateBenchmark, GateRecord, GateUnpaired, RunRecord
from tiergate_reports.plugin import render

pytestmark = pytest.mark.browser

MEASURE = Path(__file__).with_name("measure.js").read_text()
USE_PAGE = Path(__file__).with_name("use_page.js").read_text()
USE_FLAME = Path(__file__).with_name("use_flame.js").read_text()
WIDTHS = (390, 1280)
SCHEMES = {"dark": "0", "light": "1"}
LONG = "an-unbroken-name-of-a-router-that-someone-thought-should-say-everything-about-it" * 2


@dataclass
class Site:
    """Pages by path, served from this machine, and the paths that were asked for."""

    pages: dict[str, str]
    port: int = 0
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def site() -> Iterator[Site]:
    served = Site({})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append(self.path)
            page = served.pages.get(self.path)
            self.send_response(404 if page is None else 200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write((page or "").encode())

        def log_message(self, *args: Any) -> None:
            """Keep the test's output clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served.port = server.server_port
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield served
        server.shutdown()
        thread.join()


HEAD = (
    '<!doctype html><link rel="icon" href="data:,"><meta name="color-scheme" content="light dark">'
    "<style>iframe { border: 0 }</style>"
)
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--hide-scrollbars", "--enable-logging=stderr", "--window-size=1400,1000", "--dump-dom",
)  # fmt: skip

Browse = Callable[..., tuple[list[dict[str, Any]], list[str]]]


@pytest.fixture
def browse(chromium: str, site: Site, tmp_path: Path) -> Browse:
    """Open a page in frames of all widths; gives what was measured in each, and the console's lines."""

    def open_page(
        page: str, scheme: str = "light", script: str = MEASURE
    ) -> tuple[list[dict[str, Any]], list[str]]:
        frames = "".join(
            f'<iframe src="/report.html" width="{width}" height="900"></iframe>' for width in WIDTHS
        )
        site.pages["/report.html"] = page
        site.pages["/"] = f"{HEAD}{frames}<pre></pre><script>{script}</script>"
        profile, colours = tmp_path / "profile", f"preferredColorScheme={SCHEMES[scheme]}"
        address = f"http://127.0.0.1:{site.port}/"
        # What a script does after the page was loaded is waited for, in a time of the browser's own.
        more = [] if script == MEASURE else ["--virtual-time-budget=5000"]
        settings = [f"--user-data-dir={profile}", f"--blink-settings={colours}"]
        command = [chromium, *FLAGS, *more, *settings, address]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        written = re.findall(r"<pre>(.*?)</pre>", done.stdout, re.DOTALL)[-1]
        console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
        return json.loads(html.unescape(written)), console

    return open_page


@pytest.mark.parametrize(("verdict", "scheme"), [*product(("pass", "fail", "inconclusive"), SCHEMES)])
def test_the_page_fits_and_can_be_read(
    browse: Browse, run_record: RunRecord, gate_of: Callable[..., GateRecord], verdict: str, scheme: str
) -> None:
    measured, console = browse(render([run_record, gate_of(verdict)]), scheme)
    assert console == []
    assert [found["client"] for found in measured] == list(WIDTHS)
    for found in measured:
        assert found["scroll"] == found["client"]
        assert found["trapped"] == []
        assert found["charts"] == 10
        assert found["faintest"]["contrast"] >= 4.5, found["faintest"]
        assert (sum(found["ground"][:3]) > 600) == (scheme == "light")


def test_the_page_asks_for_nothing(browse: Browse, site: Site, run_record: RunRecord) -> None:
    browse(render([run_record]))
    assert set(site.asked) == {"/", "/report.html"}


def test_long_words_do_not_widen_the_page(
    browse: Browse, run_record: RunRecord, gate_of: Callable[..., GateRecord]
) -> None:
    run = replace(
        run_record,
        variants=[replace(v, name=LONG + v.name, summary=LONG) for v in run_record.variants],
        configured_router=LONG,
        remarks=[LONG],
        command=["tiergate", LONG],
        too_few=[LONG],
        sources=[replace(run_record.sources[0], path=LONG)],
        workload=replace(run_record.workload, name=LONG),
    )
    measured, console = browse(render([run, gate_of("fail", subject=LONG)]))
    assert console == []
    assert [found["scroll"] for found in measured] == list(WIDTHS)


def test_a_gate_alone_fits_too(browse: Browse, gate_of: Callable[..., GateRecord]) -> None:
    measured, console = browse(render([gate_of("fail", subject=LONG)]), "dark")
    assert console == []
    assert [found["scroll"] for found in measured] == list(WIDTHS)
    assert all(found["faintest"]["contrast"] >= 4.5 for found in measured)


def test_the_browser_reports_what_the_policy_forbids(browse: Browse, run_record: RunRecord) -> None:
    page = render([run_record]).replace("<h1>", '<h1 style="color: red">', 1)
    _, console = browse(page.replace("</main>", "<script>document.title = 'x'</script></main>"))
    assert any("style" in line for line in console)
    assert any("script" in line for line in console)


def test_compared_benchmarks_fit_too(browse: Browse, gate_of: Callable[..., GateRecord]) -> None:
    one = GateBenchmark(
        name=f"{LONG}.py::{LONG}",
        ratio=1.2,
        interval=(1.1, 1.3),
        verdict="regressed",
        seconds=2.0,
        reason=LONG,
        base_s=0.1,
        new_s=0.12,
    )
    lost = GateUnpaired(name=LONG, side="new", problem="skipped", detail=LONG)
    gate = gate_of("fail", checks=[], benchmarks=[one], unpaired=[lost], remarks=[LONG])
    measured, console = browse(render([gate]))
    assert console == []
    assert [found["scroll"] for found in measured] == list(WIDTHS)
    assert all(found["faintest"]["contrast"] >= 4.5 for found in measured)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_reconciliation_fits_and_can_be_read(browse: Browse, site: Site, scheme: str) -> None:
    measured, console = browse(render([full(LONG)]), scheme)
    assert console == []
    for found in measured:
        assert found["scroll"] == found["client"]
        assert found["trapped"] == []
        assert found["charts"] == 1
        assert found["faintest"]["contrast"] >= 4.5, found["faintest"]
        assert (sum(found["ground"][:3]) > 600) == (scheme == "light")
    assert set(site.asked) == {"/", "/report.html"}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_profile_fits_and_can_be_read(browse: Browse, site: Site, scheme: str) -> None:
    long = make_profile(store=LONG, remarks=[LONG], command=["tiergate", LONG], router=LONG)
    for page in (render([long]), render([make_profile(), long])):
        measured, console = browse(page, scheme)
        assert console == []
        for found in measured:
            assert found["scroll"] == found["client"]
            assert found["trapped"] == []
            assert found["faintest"]["contrast"] >= 4.5, found["faintest"]
    assert set(site.asked) == {"/", "/report.html"}


def test_a_flame_graph_zooms_searches_and_links(browse: Browse) -> None:
    [seen], console = browse(render([make_profile()]), script=USE_FLAME)
    assert console == []
    assert (seen["all"], seen["before"], seen["disabled"]) == (7, 7, True)
    assert seen["width"] == pytest.approx(80.0, abs=0.2)
    assert (seen["hits"], seen["found"]) == (1, "1 call, 30.0 % of all work")
    assert seen["zoomed"] == seen["above"] == pytest.approx(100.0, abs=0.2)
    assert seen["left"] == 5
    assert seen["tells"] == "log: 30.0 % of all work"
    assert seen["link"].startswith("#by-operation=")
    assert (seen["after"], seen["unlinked"]) == (7, "")
    assert seen["again"] == pytest.approx(80.0, abs=0.2)
    assert seen["linked"] == 100


def test_tables_sort_and_colours_switch(browse: Browse) -> None:
    spots = [
        HotSpot(
            function=name, file="f.py", line=1, component="search", self_s=seconds, total_s=2.0, share=0.1
        )
        for name, seconds in (("late", 0.02), ("early", 1.5), ("most", 12.0), ("none", 0.0))
    ]
    [seen], console = browse(render([make_profile(hot_spots=spots)]), script=USE_PAGE)
    assert console == []
    assert seen["rows"] == ["late", "early", "most", "none"]
    assert seen["states"] == ["ascending", "descending", None]
    assert seen["orders"] == [
        ["none", "late", "early", "most"],
        ["most", "early", "late", "none"],
        ["late", "early", "most", "none"],
    ]
    assert seen["words"] == ["early", "late", "most", "none"]
    assert seen["names"] == ["Colours: auto", "Colours: light", "Colours: dark", "Colours: auto"]
    light, _, dark, again = seen["grounds"]
    assert seen["grounds"][1] == light == again
    assert dark != light


def test_chosen_colours_can_be_read(browse: Browse, run_record: RunRecord) -> None:
    page = render([run_record]).replace('<html lang="en">', '<html lang="en" data-theme="dark">', 1)
    measured, console = browse(page, "light")
    assert console == []
    assert all(found["faintest"]["contrast"] >= 4.5 for found in measured)
    assert all(sum(found["ground"][:3]) < 200 for found in measured)
