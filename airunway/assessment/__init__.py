"""What a plan means for its cluster: whether there are GPUs for the models, and what they cost."""
