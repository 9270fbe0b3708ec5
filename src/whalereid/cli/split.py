"""`whalereid split`."""
