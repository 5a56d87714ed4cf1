"""The contract of importers, kept by each of ours on each of its samples."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tiergate.hooks import ImporterDeclaration
from tiergate.testing import ImporterContract

Files = dict[str, bytes]
Case = tuple[str, Files, Files | None]


class TestBuiltIn(ImporterContract):
    """Every importer, beside the samples of all others."""

    @pytest.fixture
    def declaration(self, case: Case, importers: list[ImporterDeclaration]) -> ImporterDeclaration:
        return next(importer for importer in importers if importer.name == case[0])

    @pytest.fixture
    def sample(self, case: Case) -> Files:
        return case[1]

    @pytest.fixture
    def damaged(self, case: Case) -> Files | None:
        return case[2]

    @pytest.fixture
    def foreign(self, case: Case, samples: dict[str, list[Files]]) -> Sequence[Files]:
        return [files for name, group in samples.items() if name != case[0] for files in group]
