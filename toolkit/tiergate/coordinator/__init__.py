"""The MCP server over router, pool and store: `tiergate serve`.

Nothing here is imported unless it is served; `mcp` and what comes with it are the extra ``tiergate[serve]``.
"""
