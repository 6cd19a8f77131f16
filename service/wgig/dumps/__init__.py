"""All graphs as one file, made once for each state of the store."""
