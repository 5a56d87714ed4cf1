"""Figures that other records hold: of a load run, and of a profile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tiergate.advice_record import AdviceMetric
from tiergate.errors import UsageError
from tiergate.profile_record import ProfileRecord
from tiergate.record import Record, RunRecord

_ACCURACY = "the balanced tier accuracy of the configured router"
_OUTSIDE = "the share of p95 outside of workers"
_WIRE = "the share of p95 that workers spend on the wire"


def record_metrics(records: Sequence[tuple[str, Record]]) -> Iterator[AdviceMetric]:
    """Metrics of the records by the paths of their files; where there is none, what would make one.

    Raises:
        UsageError: a record of another kind, or two of one kind.
    """
    runs = [(path, record) for path, record in records if isinstance(record, RunRecord)]
    profiles = [(path, record) for path, record in records if isinstance(record, ProfileRecord)]
    for path, record in records:
        if not isinstance(record, RunRecord | ProfileRecord):
            raise UsageError(
                f"advice takes nothing from a record {record.schema}",
                where=path,
                hint="give one of `tiergate load` and one of `tiergate profile`",
            )
    for found in (runs, profiles):
        if len(found) > 1:
            raise UsageError("a second record of one kind", where=found[1][0], hint="give one of each")
    yield (
        _accuracy(*runs[0])
        if runs
        else _unknown("run.balanced_accuracy", _ACCURACY, "give a record of `tiergate load` with --record")
    )
    yield from (
        _shares(*profiles[0])
        if profiles
        else (
            _unknown(name, title, "give a record of `tiergate profile` with --record")
            for name, title in (("profile.outside_workers", _OUTSIDE), ("profile.wire", _WIRE))
        )
    )


def _accuracy(path: str, record: RunRecord) -> AdviceMetric:
    name = "run.balanced_accuracy"
    variant = next((one for one in record.variants if one.name == record.configured_router), None)
    if variant is None or variant.tier_accuracy is None or record.too_few:
        return _unknown(name, _ACCURACY, f"{path} does not judge it")
    return AdviceMetric(
        name=name,
        title=_ACCURACY,
        value=variant.tier_accuracy.balanced_accuracy,
        interval=variant.intervals.get("tier_accuracy.balanced_accuracy"),
        source=path,
    )


def _shares(path: str, record: ProfileRecord) -> Iterator[AdviceMetric]:
    tail = record.tail
    wire = next((one.share_of_p95 for one in record.components if one.name == "wire"), 0.0)
    for name, title, value in (
        ("profile.outside_workers", _OUTSIDE, tail.waiting if tail else None),
        ("profile.wire", _WIRE, wire if tail else None),
    ):
        if value is None:
            yield _unknown(name, title, f"{path} saw no slow request")
        else:
            yield AdviceMetric(
                name=name, title=title, value=value, interval=(value, value), unit="share", source=path
            )


def _unknown(name: str, title: str, note: str) -> AdviceMetric:
    return AdviceMetric(name=name, title=title, note=note)
