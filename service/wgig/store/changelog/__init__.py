"""The change log: the versions of all resources in order, from which the event stream is served."""
