"""Benchmarks of the shell and of the service, and a generator of test data.

In names and tables, `ours` or `own` is this service or its commands, and a `peer` another program that is
measured with the same task.
"""
