"""HTML rendering: templates, static files, dates, display names, SVG and error pages.

Read `rendering` first. Static files are in `static/`; `rendering` builds their paths, and
`resources.ontology.get_static_file` serves them.
"""
