"""Test data of the benchmarks: generated papers, the same for the same seed."""
