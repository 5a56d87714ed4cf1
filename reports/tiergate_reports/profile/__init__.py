"""The page of a profile, and of the difference between two."""
