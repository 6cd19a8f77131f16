"""A store that many instances share: the truth is in a SPARQL service, and each keeps a copy in its folder.

Queries go to the service. Pages, documents, checks and searches are answered from the copy, which is brought
in line with the service before each answer. A write is made in the service first, under a turn that one
instance has at a time, and goes into a ledger there, from which the others follow.
"""
