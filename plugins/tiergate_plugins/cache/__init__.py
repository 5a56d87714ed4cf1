"""Caches in front of stores."""
