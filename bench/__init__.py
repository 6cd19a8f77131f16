"""Benchmarks of the load, the start and the shell, and the generator of the large data they run on."""
