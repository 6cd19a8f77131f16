"""Lists of things: what each holds, asked and written by one description."""
