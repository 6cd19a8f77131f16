"""The full-text index over what things are called and what is written about them."""
