"""HTML rendering: templates, static files, dates, display names, SVG and error pages.

Read `rendering` first. Static files are in `static/`; `rendering` makes their paths, and `/static/` is
served by `resources.ontology.get_static_file`.
"""
