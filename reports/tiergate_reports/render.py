"""A page as one file: template, style, script, the records, and a policy that lets nothing else in."""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Iterator, Sequence
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tiergate.record import Record, encode_record
from tiergate_reports.pages import page_of

MOST_EMBEDDED = 200_000
"""Characters of a record in a page, which shall be fit for a mail."""

_SCRIPT = "page.js"


def render(records: Sequence[Record]) -> str:
    """The page of these records (`pages.page_of`). The same records give the same page.

    Raises:
        UsageError: they make no page.
    """
    page = page_of(records)
    environment = _environment()
    style = environment.get_template("style.css").render().strip()
    script = "\n".join(environment.get_template(name).render().strip() for name in (_SCRIPT, *page.scripts))
    text = environment.get_template(page.template).render(
        **page.values,
        style=Markup(style),
        script=Markup(script),
        policy=content_security_policy(style, script),
        downloads=list(_downloads(records)),
    )
    return text.rstrip() + "\n"


def content_security_policy(style: str, script: str) -> str:
    """A policy that allows this very style and script and pictures within the page, and nothing else."""
    return (
        f"default-src 'none'; style-src {_hashed(style)}; script-src {_hashed(script)}; img-src data:;"
        " base-uri 'none'; form-action 'none'"
    )


def _hashed(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _downloads(records: Sequence[Record]) -> Iterator[tuple[str, str]]:
    """Name and address of each record within the page; of one that would make it too large the name alone."""
    kinds = [record.schema.removeprefix("tiergate.").partition("/")[0] for record in records]
    for number, (kind, record) in enumerate(zip(kinds, records, strict=True), start=1):
        name = f"{kind}.json.gz" if kinds.count(kind) == 1 else f"{kind}-{number}.json.gz"
        # Without the time, which would make another page of the same records.
        packed = base64.b64encode(gzip.compress(encode_record(record), mtime=0)).decode()
        yield name, f"data:application/gzip;base64,{packed}" if len(packed) <= MOST_EMBEDDED else ""


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("tiergate_reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
