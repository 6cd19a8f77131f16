"""The Reconciliation Service API 0.2 (W3C Community Group): matches table cells to resources.

Start with `routes`.
"""
