"""Query workers: processes that evaluate queries, killed at a limit or when the client is gone.

The service has a pool of workers; settings, metrics and the folder of their copies call them readers. They
are forked by the forker, a process with one thread that has the quads in memory. Each worker has a socket to
the service. It carries queries and changes in order, so that a query sees all earlier writes.
"""
