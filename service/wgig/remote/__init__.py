"""A store shared by several instances: a SPARQL service holds the truth, each instance has a local copy.

Read `store` first. Queries go to the service. Pages, documents, checks and searches are answered from the
copy, which is brought up to date with the service before each response. A write is made in the service first,
under a lease that one instance has at a time, and goes into a ledger there, which the others follow.
"""
