"""What other tools read of a gate's record: one module a format, each a function from a record to a text."""
