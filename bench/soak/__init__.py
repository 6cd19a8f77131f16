"""An hour at steady load: whether memory stays constant, and no processes or files are left behind."""
