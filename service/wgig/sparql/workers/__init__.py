"""Query workers: processes that evaluate queries, killed at a limit or when the client is gone.

The service has a pool of workers; settings, metrics and the folder of their copies call them readers. The
forker, a process with one thread and the quads in memory, forks them. Each worker has a socket to the
service, which carries queries and changes in order, so that a query after a write sees it.
"""
