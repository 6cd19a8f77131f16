"""Other services: which ones may be asked, what a text asks of them, and what they answer."""
