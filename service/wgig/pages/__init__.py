"""HTML rendering: templates, static files, dates, display names, SVG and error pages.

Read `rendering` first.
"""
