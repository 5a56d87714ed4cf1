"""Every kind of page, in light and in dark, by axe-core: also who cannot see it can use it."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from profile_page_desk import make_advice, make_profile
from reconcile_desk import full

from tiergate.record import BenchRecord, BenchRow, GateCheck, GateRecord, MigrationRecord, Record, RootHashes
from tiergate_reports.plugin import render

SCHEMES = {"dark": "0", "light": "1"}
PROFILE = make_profile()
PAGES: dict[str, list[Record]] = {
    "gate": [
        GateRecord(
            verdict="fail",
            checks=[
                GateCheck(metric=f"m{n}", value=n, interval=(n, n), budget="< 2", verdict="fail")
                for n in range(3)
            ],
        )
    ],
    "migration": [
        MigrationRecord(
            id="m1",
            source="json:a",
            target="sqlite:b",
            state="verified",
            sessions=1,
            tasks=2,
            root_hash=RootHashes(source="a", target="a"),
            differences=[],
        )
    ],
    "reconcile": [full("words")],
    "profile": [PROFILE],
    "difference": [PROFILE, PROFILE],
    "bench": [
        BenchRecord(
            area=area,
            created_at="now",
            duration_s=1.0,
            environment=PROFILE.environment,
            rows=[
                BenchRow(name=f"r{n}", value=n, interval=(n, n + 1), unit="ms", details={"a": 1.0})
                for n in range(3)
            ],
        )
        for area in ("pool", "flow")
    ],
    "advice": [make_advice()],
}


@pytest.fixture(scope="module")
def axe() -> str:
    """The script, from the folder that the session of nox filled."""
    folder = os.environ.get("TIERGATE_NPM")
    path = Path(folder or "") / "node_modules" / "axe-core" / "axe.min.js"
    if folder is None or not path.is_file():
        pytest.skip("axe-core is not installed: run `nox -s conformance`")
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def chromium() -> str:
    """The browser that draws the page."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("no chromium on PATH")
    return found


RUN = """
window.addEventListener("load", async () => {
  const found = await axe.run(document, { resultTypes: ["violations"] });
  const said = document.createElement("pre");
  said.id = "axe";
  said.textContent = JSON.stringify(found.violations.map((one) => [one.id, one.nodes[0].html.slice(0, 200)]));
  document.body.append(said);
});
"""


def violations(chromium: str, axe: str, page: str, scheme: str, folder: Path) -> list[Any]:
    """What axe-core finds; the page's policy, which would not let it in, is taken out."""
    open_page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    path = folder / "page.html"
    path.write_text(
        open_page.replace("</body>", f"<script>{axe}</script><script>{RUN}</script></body>"), encoding="utf-8"
    )
    words = [
        *(chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--dump-dom"),
        *("--virtual-time-budget=20000", f"--user-data-dir={folder / 'profile'}"),
        *(f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}", path.as_uri()),
    ]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=True)
    [said] = re.findall(r'<pre id="axe">(.*?)</pre>', done.stdout, re.DOTALL)
    found: list[Any] = json.loads(html.unescape(said))
    return found


@pytest.mark.parametrize(("kind", "scheme"), [*product(PAGES, SCHEMES)])
def test_axe_finds_nothing(chromium: str, axe: str, kind: str, scheme: str, tmp_path: Path) -> None:
    assert violations(chromium, axe, render(PAGES[kind]), scheme, tmp_path) == []


def test_axe_does_find_what_is_wrong(chromium: str, axe: str, tmp_path: Path) -> None:
    page = render(PAGES["gate"]).replace('<html lang="en">', "<html>")
    assert [one for one, _ in violations(chromium, axe, page, "light", tmp_path)] == ["html-has-lang"]
