"""Files written whole or not at all, folders that are ours, and paths that stay inside their root."""

from whalereid.files.disk import disk_errors, make_folders, mode_of, remove, special, unmake_folders
from whalereid.files.folders import check_folder, check_whole_folder, claim_folder
from whalereid.files.names import LONGEST_NAME, companion, inside, is_leftover, leftovers, temporary
from whalereid.files.writing import replacing, replacing_all, sweep

__all__ = [
    "LONGEST_NAME",
    "check_folder",
    "check_whole_folder",
    "claim_folder",
    "companion",
    "disk_errors",
    "inside",
    "is_leftover",
    "leftovers",
    "make_folders",
    "mode_of",
    "remove",
    "replacing",
    "replacing_all",
    "special",
    "sweep",
    "temporary",
    "unmake_folders",
]
