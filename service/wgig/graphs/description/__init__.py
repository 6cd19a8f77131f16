"""Descriptions of the store in graphs of their own: VoID statistics, DCAT catalog, example queries.

Read `derived` first; `statistics` computes the figures.
"""
