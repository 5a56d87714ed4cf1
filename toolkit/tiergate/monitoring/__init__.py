"""What is known of a service while it runs, and what it does by itself when something goes wrong.

Everything hangs on `tiergate.dispatch.Dispatcher` and knows no protocol: `meters` counts and times calls,
`happenings` keeps what happened, `health` says how the service is, `status` all of it in one document for
people and programs.
"""
