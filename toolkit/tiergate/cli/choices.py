"""Values of options that are one of a few names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from tiergate.errors import unknown_name


class NamedChoice(click.Choice[str]):
    """A choice that offers the nearest name for an unknown one.

    Args:
        kind: what the names are, for the error.
    """

    def __init__(self, kind: str, choices: Sequence[str]) -> None:
        super().__init__(choices)
        self.kind = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name itself.

        Raises:
            UsageError: it is none of the choices.
        """
        if value not in self.choices:
            where = param.opts[0] if param else None
            raise unknown_name(self.kind, value, self.choices, where=where)
        return super().convert(value, param, ctx)
