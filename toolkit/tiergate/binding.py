"""Names that are bound to stores: `store:NAME`."""
