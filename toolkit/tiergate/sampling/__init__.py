"""Samples of stacks inside a process: gathered, tied to requests, handed over while it still lives."""
