"""What the engine does for a query: its plan, as steps in words, with counts and advice."""
