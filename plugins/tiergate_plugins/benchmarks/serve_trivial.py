"""The least that a server on the same SDK can be: one tool that adds two numbers, over standard streams."""

from __future__ import annotations

from mcp.server.mcpserver import MCPServer

server = MCPServer("trivial")


@server.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


if __name__ == "__main__":
    server.run("stdio")
