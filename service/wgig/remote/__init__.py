"""A store shared by several instances: a SPARQL service has the data, and each instance has a local copy.

In this package, "the service" is always that SPARQL service, and an instance is a running wgig. Read `store`
first. Queries go to the service. Pages, documents, checks and searches read the copy, which is
updated from the service before each response. A write is made in the service first, while the instance holds
the write lock there. It is recorded in a ledger, from which the other instances update their copies.
"""
