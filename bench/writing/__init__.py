"""Writing papers, and what the service does after each write to keep in step."""
