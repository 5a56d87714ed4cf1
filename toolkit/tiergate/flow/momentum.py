"""Momentum: how much recent progress there was, 0 to 1, halving in every half-life without progress."""

DEFAULT_HALF_LIFE_S = 3600.0
