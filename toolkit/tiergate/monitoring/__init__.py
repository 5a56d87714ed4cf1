"""What is known of a service while it runs, and what it does by itself when something goes wrong.

Everything hangs on `tiergate.dispatch.Dispatcher` and knows no protocol: `meters` counts and times calls,
`happenings` keeps what happened, `health` puts into words how the service is, `status` all of it into one document
for people and programs.
"""
