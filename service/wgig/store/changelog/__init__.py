"""What became of each thing of the graph: a log of its versions, and the event stream that tells it."""
