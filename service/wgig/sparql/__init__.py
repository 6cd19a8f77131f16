"""The SPARQL endpoint: protocol, admission, federation, explanation and evaluation in worker processes.

Read `service` first. `language` has the parser and its diagnostics, `workers` the worker processes.
"""
