"""Versions of resources: every state that a resource had, in order. The event stream is served from them.

They are a projection of the change log. Read `states` first, then `database` and `projection`.
"""
