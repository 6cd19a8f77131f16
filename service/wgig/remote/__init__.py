"""A store shared by several instances: a SPARQL service has the data, and each instance has a local copy.

Read `store` first. Queries go to the service. Pages, documents, checks and searches read the copy, which is
brought up to date with the service before each response. A write is made in the service first, while the
instance holds the write lock there, and is recorded in a ledger, from which the other instances update their
copies.
"""
