"""The Reconciliation Service API 0.2 (W3C Community Group): matches table cells to resources of the graph.

Read `routes` first.
"""
