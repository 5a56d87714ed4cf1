"""Profilers: what samples the stacks of coordinator and workers."""
