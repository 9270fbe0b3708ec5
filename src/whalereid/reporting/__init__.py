"""Contact sheets, pages of matches, displays and figures; the room for review pages and explanations."""

from whalereid.reporting.displays import CMCDisplay, MetricByGroupDisplay, OpenSetDisplay, ReliabilityDisplay
from whalereid.reporting.figures import draw_open_set, draw_report, write_figure
from whalereid.reporting.matches import Matches, write_matches
from whalereid.reporting.sheets import contact_sheet, write_image

__all__ = [
    "CMCDisplay",
    "Matches",
    "MetricByGroupDisplay",
    "OpenSetDisplay",
    "ReliabilityDisplay",
    "contact_sheet",
    "draw_open_set",
    "draw_report",
    "write_figure",
    "write_image",
    "write_matches",
]
