"""What is on record of each write, and what a graph held before it."""
