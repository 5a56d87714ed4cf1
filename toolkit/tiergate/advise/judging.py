"""What follows from metrics: each condition by the whole interval, each step by its conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tiergate.advice_record import AdviceClause, AdviceMetric, AdviceStep, AdviceVerdict
from tiergate.advise.triggers import Condition, Step, condition

Metrics = Mapping[str, AdviceMetric]


def judge(name: str, step: Step, metrics: Metrics, current: str, words: Mapping[str, str]) -> AdviceStep:
    """The advice about a step.

    Args:
        current: the kind of store in which the sessions lie now.
        words: what stands for the names in braces in the next command.
    """
    triggers = [_clause(condition(text, name), metrics) for text in step.when]
    gain = [_clause(condition(text, name), metrics) for text in step.gain]
    verdict, why = _verdict(step, triggers, gain, metrics, current)
    return AdviceStep(
        step=name,
        title=step.title,
        verdict=verdict,
        triggers=triggers,
        gain=gain,
        why=why,
        effort=step.effort,
        cost=step.cost,
        next=_filled(step.next, words),
    )


def _filled(text: str, words: Mapping[str, str]) -> str:
    for name, word in words.items():
        text = text.replace(f"{{{name}}}", word)
    return text


def holds(asked: Condition, metric: AdviceMetric) -> bool | None:
    """Whether a condition holds for the whole interval (True), for none of it (False), or cannot be said."""
    if metric.value is None:
        return None
    low, high = metric.interval or (metric.value, metric.value)
    found = {_compare(end, asked) for end in (low, high)}
    return found.pop() if len(found) == 1 else None


def _compare(value: float, asked: Condition) -> bool:
    match asked.operator:
        case "<":
            return value < asked.bound
        case "<=":
            return value <= asked.bound
        case ">":
            return value > asked.bound
        case _:
            return value >= asked.bound


def _clause(asked: Condition, metrics: Metrics) -> AdviceClause:
    metric = metrics[asked.metric]
    return AdviceClause(
        metric=asked.metric,
        condition=f"{asked.operator} {with_unit(asked.bound, metric.unit)}",
        holds=holds(asked, metric),
    )


def _verdict(
    step: Step,
    triggers: Sequence[AdviceClause],
    gain: Sequence[AdviceClause],
    metrics: Metrics,
    current: str,
) -> tuple[AdviceVerdict, str]:
    if step.applies and current not in step.applies:
        return "not yet", f"The sessions lie in {current}: there is nothing to gain by this step."
    met = [one for one in triggers if one.holds]
    if met:
        return _by_gain(_capital(_said(met, metrics)), gain, metrics)
    unsure = [one for one in triggers if one.holds is None]
    if unsure:
        return "inconclusive", f"Its trigger cannot be decided: {_said(unsure, metrics)}."
    return "not yet", f"Its trigger does not hold: {_said(triggers, metrics)}."


def _by_gain(reason: str, gain: Sequence[AdviceClause], metrics: Metrics) -> tuple[AdviceVerdict, str]:
    """The verdict where a trigger holds."""
    if not gain:
        return "inconclusive", f"{reason}; but nothing here measures what the step would gain."
    lost = [one for one in gain if one.holds is False]
    if lost:
        return "not yet", f"{reason}; but it gains too little: {_said(lost, metrics)}."
    unsure = [one for one in gain if one.holds is None]
    if unsure:
        return "inconclusive", f"{reason}; what it gains cannot be decided: {_said(unsure, metrics)}."
    return "justified", f"{reason}, and {_said(gain, metrics)}."


def _said(clauses: Sequence[AdviceClause], metrics: Metrics) -> str:
    return "; ".join(_figure(metrics[one.metric], one.condition) for one in clauses)


def _figure(metric: AdviceMetric, asked: str) -> str:
    if metric.value is None:
        return f"{metric.title} is not known ({metric.note})"
    return f"{metric.title} is {written(metric)} (asked: {asked})"


def written(metric: AdviceMetric) -> str:
    """A metric's value with its interval and unit, as every form of the advice writes it."""
    if metric.value is None:
        return "not known"
    value = with_unit(metric.value, metric.unit)
    if metric.interval is None or metric.interval[0] == metric.interval[1]:
        return value
    low, high = metric.interval
    return f"{value} [{with_unit(low, metric.unit)}, {with_unit(high, metric.unit)}]"


def with_unit(value: float, unit: str) -> str:
    """A number with its unit: shares in percent, bytes in those of a thousand."""
    if unit == "share":
        return f"{100 * value:.3g} %"
    if unit == "bytes":
        size = next((one for one in _SIZES if abs(value) >= one[0]), _SIZES[-1])
        return f"{value / size[0]:.3g} {size[1]}"
    digits = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{digits}x" if unit == "x" else f"{digits} {unit}".rstrip()


_SIZES = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "bytes"))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
