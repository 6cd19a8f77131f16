"""Papers as files: Markdown, Word and the web form, uploads and validation.

Read `validate` first, then `markdown`. `form` has the web form.
"""
