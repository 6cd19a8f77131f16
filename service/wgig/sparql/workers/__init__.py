"""Query workers: processes that answer queries, killed at a limit or when nobody waits for the answer.

The service has a pool of workers, which settings, metrics and the folder of their copies call readers. The
forker, which has the quads in memory and one thread, forks them. Each worker has a socket of its own to the
service, on which queries and changes come in order, so that a query after a write sees it.
"""
