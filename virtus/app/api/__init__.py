"""The documented API and the tools of `serve --mcp`."""
