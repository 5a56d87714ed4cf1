"""What the conformance tests share: the package ``mcpsuite`` here, and records to make pages of."""

from __future__ import annotations

import sys
from pathlib import Path

# `nox -s conformance` runs a script that imports the package too, so it is one, and not a set of fixtures.
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "reports")]
