"""Reading a live cluster: status, endpoints, and what is there to be taken over. Nothing here changes anything."""
