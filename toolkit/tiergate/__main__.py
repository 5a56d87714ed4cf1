"""``python -m tiergate``: the same as the command ``tiergate``."""

from __future__ import annotations

import sys

from tiergate.cli import main

if __name__ == "__main__":
    sys.exit(main())
