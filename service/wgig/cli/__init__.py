"""The `wgig` command: one module per command, and the output helpers that they share.

Read `main` first, then `arguments`. `bulk` has the jobs on millions of papers, `mcp` the MCP server for
language models.
"""
