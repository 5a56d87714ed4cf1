"""Advice: whether an optional step is worth its weeks, measured on somebody's own sessions and requests.

Nothing is recommended without a measurement: a step is justified only where its trigger holds and what it
gains was measured too. What cannot be measured here is said, with the command that would.
"""
