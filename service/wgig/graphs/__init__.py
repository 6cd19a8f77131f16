"""Named graphs: Graph Store Protocol, SPARQL Update, versions, provenance, dumps.

Read `routes` first, then `write_pipeline`. `description` has VoID and DCAT, `citation` the citations.
"""
