"""Resources as linked data: /id, /doc, /ontology and /shapes, with content negotiation by profile.

Read `routes` first, then `representation` and `profile_negotiation`.
"""
