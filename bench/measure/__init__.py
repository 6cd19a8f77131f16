"""Measuring commands, requests, and CPU and memory of processes; running servers; an HTTP client."""
