"""Loading files into a store, and the time until a service answers and until everything in it works."""
