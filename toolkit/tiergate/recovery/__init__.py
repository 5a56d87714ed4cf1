"""What a service does by itself: each policy is a gatekeeper of calls, and tells what it does and why.

Respawning workers is the pool's own. The policies here only ever refuse calls that would do harm: to an
operation that keeps failing, to a queue that is too long, to a store that cannot be written.
"""
