"""The store describes itself: VoID statistics, DCAT catalog and example queries, in graphs of their own.

Read `derived` first; `statistics` has the figures.
"""
