"""The `wgig` command: one module per command, and the output helpers that they share.

Read `main` first, then `arguments`. `bulk` has the jobs on many papers, `mcp` the server for language models.
"""
