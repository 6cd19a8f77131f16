"""Content negotiation by profile: the vocabularies in which a thing is described, and who asks for which."""
