"""Contact sheets and figures; the room for review pages and explanations."""
