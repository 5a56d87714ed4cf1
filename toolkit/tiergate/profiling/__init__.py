"""Profiles: a load run's coordinator and workers sampled, and what the samples say.

A profiled run is never gated: sampling slows down what it looks at. How much is measured in the same run, by
rounds without a profiler in between.
"""
