"""Writing papers, and updating the projections after each write."""
