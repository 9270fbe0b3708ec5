"""Contact sheets and figures; the room for review pages and explanations."""

from whalereid.reporting.sheets import contact_sheet, write_image

__all__ = ["contact_sheet", "write_image"]
