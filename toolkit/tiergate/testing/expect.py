"""Errors that a contract asks for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tiergate.errors import TiergateError


@contextmanager
def must_raise(kind: type[TiergateError], contract: str) -> Iterator[None]:
    """Fail with the sentence of the contract unless the block raises that error, as one line for people."""
    try:
        yield
    except kind as error:
        if "\n" in str(error) or not str(error):
            pytest.fail(f"{contract}; its message must be one line: {str(error)!r}")
        return
    except Exception as error:
        raise AssertionError(f"{contract}; it raised {type(error).__name__}: {error}") from error
    pytest.fail(f"{contract}; it raised nothing")
