"""SHACL checks of papers: shapes, engines, findings, reports, and the gate before a write.

Read `check` first. `reports` has the report formats.
"""
