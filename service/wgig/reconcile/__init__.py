"""The Reconciliation Service API 0.2 of a W3C Community Group: tables are matched to things of the graph."""
