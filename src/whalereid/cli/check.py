"""`whalereid check`."""
