"""What was measured: tables, plots and the page of the documentation for people, JSON for comparing runs."""
