"""The main lists of the graph as tables, for those who work with rows and columns."""
