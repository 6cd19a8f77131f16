"""The SPARQL endpoint: protocol, admission, federation, explanation and evaluation in worker processes.

Start with `service`. `language` contains the parser and diagnostics, `workers` the worker processes.
"""
