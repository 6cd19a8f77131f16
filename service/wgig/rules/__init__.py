"""Rules of the operator over chosen graphs: OWL 2 RL, SHACL rules and SPARQL CONSTRUCT queries."""
