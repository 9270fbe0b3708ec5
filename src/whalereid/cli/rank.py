"""`whalereid rank`."""
