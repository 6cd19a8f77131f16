"""The results of benchmarks: tables and plots for people, JSON for comparing runs."""
