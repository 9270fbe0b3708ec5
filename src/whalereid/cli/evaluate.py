"""`whalereid evaluate`."""
