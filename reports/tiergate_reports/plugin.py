"""The exporter `html`: one page of the records that belong together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tiergate.hooks import ExporterDeclaration, hookimpl
from tiergate.record import Record


def render(records: Sequence[Record]) -> str:
    """The page of these records; `pages.page_of` says which make one.

    Raises:
        UsageError: any other selection of records.
    """
    from tiergate_reports.render import render as render_page

    return render_page(records)


@hookimpl
def tiergate_exporters() -> Iterable[ExporterDeclaration]:
    """Declare the HTML report."""
    yield ExporterDeclaration(
        name="html",
        summary="One self-contained page to read offline, the verdict first",
        suffix=".html",
        render=render,
    )
