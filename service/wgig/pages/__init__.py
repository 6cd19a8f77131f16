"""HTML rendering: templates, static files, dates, display names, SVG and error pages.

Read `rendering` first. Static files are in `static/`, and have their paths from `rendering`; `/static/` is
served by `resources.ontology.get_static_file`.
"""
