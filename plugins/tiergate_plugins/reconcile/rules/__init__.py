"""The built-in rules of reconciliation: evidence, three-way merge, most advanced status, newest."""
