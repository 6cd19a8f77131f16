"""The data that benchmarks run on: generated papers, the same for the same seed."""
