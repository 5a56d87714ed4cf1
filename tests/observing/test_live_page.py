"""The live page in a real browser: it shows what the server does, at both widths, and names are only text."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from chromium import Browser
from served import Server

CHROMIUM = shutil.which("chromium")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.integration,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]


def test_it_shows_the_service_as_it_is(watched: Server, tmp_path: Path) -> None:
    assert CHROMIUM is not None
    with Browser(CHROMIUM, tmp_path) as browser:
        browser.open(f"http://127.0.0.1:{watched.port}/")
        browser.wait_for("document.getElementById('headline').textContent.match(/Ready|Degraded/)")
        tiers = browser.value("[...document.querySelectorAll('#tiers th')].map(cell => cell.textContent)")
        assert tiers == ["hot", "warm", "cold"]
        session = browser.wait_for("document.querySelector('#sessions .state')?.parentElement.textContent")
        assert "<i>work</i>" in session
        assert "1 of 3 tasks done" in session
        browser.wait_for("document.querySelectorAll('#chart path').length > 1")
        for width in (1280, 390):
            browser.resize(width)
            assert browser.value("document.documentElement.scrollWidth") <= width
