"""How to cite what the service gives, and the same bytes again for who follows a citation."""
