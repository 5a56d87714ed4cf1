"""The page at ``/`` that shows a service as it is, once a second."""
