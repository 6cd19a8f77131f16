"""What a write may touch, what it changes, and what follows from that."""
