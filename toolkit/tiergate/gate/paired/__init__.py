"""``gate paired``: two trees of one project, measured as a duet.

Trees (`trees`) get an environment each (`environments`); a process a side runs the project's own pytest suite
(`processes`, `side`) and stands still inside each benchmark, so that blocks of calls of both sides alternate
(`duet`); new processes begin each generation (`generation`); after some of them the suite is judged
(`engine`).
"""
