"""Front processes: several processes that speak HTTP, for one process that writes.

Start reading in `supervisor`, which starts the processes, and `front`, which handles requests.
"""
