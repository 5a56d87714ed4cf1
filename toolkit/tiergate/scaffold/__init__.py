"""A new plugin: a complete distribution that passes the contract of its kind before anything was changed."""
