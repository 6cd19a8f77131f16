"""Queries answered by processes that can be killed: at a limit, or when nobody waits for the answer any more.

The service has a pool of readers. A holder, which has the quads in memory and one thread, forks them. Each
has a socket of its own to the service, on which what it is asked and what changes come in order, so that
whoever asks after a write sees it.
"""
