"""What a SPARQL text says: its grammar, a reading by it, its terms and variables, and the slips in it."""
