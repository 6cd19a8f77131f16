"""Issue papers: reading and writing Markdown and Word, the web form, uploads and validation.

Start with `validate` (the route /validate), then `markdown`. The package `form` has the web form.
"""
