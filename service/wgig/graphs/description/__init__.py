"""Descriptions of the store, each in a separate graph: VoID statistics, DCAT catalog, example queries.

Read `derived` first; `statistics` counts the figures, `figure_changes` updates them after a change.
"""
