"""Static analysis of SPARQL: grammar, parser, terms, variables, syntax errors and hints."""
