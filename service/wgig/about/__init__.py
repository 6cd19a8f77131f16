"""What the store says about itself: how much there is of what, what there is to get, what can be asked."""
