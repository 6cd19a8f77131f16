"""Loading files into a store, and the time until the first response."""
