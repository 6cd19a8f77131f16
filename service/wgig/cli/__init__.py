"""The `wgig` command: modules for its commands, and the output functions that they share.

Read `main` first, then `arguments`. `bulk` runs jobs on millions of papers; `mcp` is the MCP server for
language models.
"""
