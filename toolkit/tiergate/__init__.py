"""tiergate: benchmark, route and gate the tiered worker pools that serve sessions of tasks."""

__version__ = "0.1.0"
