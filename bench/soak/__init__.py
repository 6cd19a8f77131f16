"""An hour at steady load: whether memory stays flat, and nothing is left behind."""
