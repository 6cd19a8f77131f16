"""Benchmarks beside the peers, of the shell and of serving, and the generator of the data they run on."""
