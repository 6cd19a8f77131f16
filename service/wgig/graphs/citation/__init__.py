"""Citations of resources, graphs and query results, and the cited bytes for those who follow a citation."""
