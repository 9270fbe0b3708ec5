"""`whalereid embed`."""
