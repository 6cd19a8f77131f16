"""Named graphs: Graph Store Protocol, SPARQL Update, versions, provenance, dumps.

Read `routes` first, then `write_pipeline`. `description/` writes VoID and DCAT, `citation/` has citations.
"""
