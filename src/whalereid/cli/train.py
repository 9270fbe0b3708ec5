"""`whalereid train`."""
