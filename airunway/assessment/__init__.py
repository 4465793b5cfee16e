"""What a plan means for its cluster: whether there are GPUs, what they cost, and what is allowed."""
