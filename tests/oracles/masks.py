"""Masks drawn pixel by pixel, and COCO's run lengths packed and unpacked as published.

``rleToString``, ``rleFrString`` and ``rleDecode`` of pycocotools:
https://github.com/cocodataset/cocoapi/blob/master/common/maskApi.c
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def runs_of(mask: np.ndarray) -> list[int]:
    """Lengths of the runs of a mask, (H, W), down the columns; the first of what lies outside."""
    runs, value, length = [], 0, 0
    for column in range(mask.shape[1]):
        for row in range(mask.shape[0]):
            if int(mask[row, column]) != value:
                runs.append(length)
                value, length = 1 - value, 0
            length += 1
    return [*runs, length]


def mask_of_runs(runs: Sequence[int], height: int, width: int) -> np.ndarray:
    """(height, width) uint8, a pixel at a time."""
    mask, place, value = np.zeros((height, width), np.uint8), 0, 0
    for run in runs:
        for _ in range(run):
            mask[place % height, place // height] = value
            place += 1
        value = 1 - value
    return mask


def packed(runs: Sequence[int]) -> str:
    """Run lengths as COCO's compressed text."""
    text = ""
    for place, run in enumerate(runs):
        number = run - runs[place - 2] if place > 2 else run
        while True:
            digits, number = number & 0x1F, number >> 5
            done = number == (-1 if digits & 0x10 else 0)
            text += chr(48 + (digits if done else digits | 0x20))
            if done:
                break
    return text


def unpacked(text: str) -> list[int]:
    """Run lengths of COCO's compressed text."""
    runs: list[int] = []
    place = 0
    while place < len(text):
        number, shift, more = 0, 0, True
        while more:
            character = ord(text[place]) - 48
            number |= (character & 0x1F) << shift
            more = bool(character & 0x20)
            place, shift = place + 1, shift + 5
            if not more and character & 0x10:
                number |= -1 << shift
        runs.append(number + runs[-2] if len(runs) > 2 else number)
    return runs


def inside(corners: np.ndarray, height: int, width: int) -> np.ndarray:
    """(height, width) bool: whether a pixel's middle lies inside a polygon, by how often a ray from it is crossed."""
    y, x = np.mgrid[:height, :width] + 0.5
    crossed = np.zeros((height, width), bool)
    for (x1, y1), (x2, y2) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        between = (y1 > y) != (y2 > y)
        if y1 != y2:
            crossed ^= between & (x < x1 + (y - y1) * (x2 - x1) / (y2 - y1))
    return crossed


def distance_to_outline(corners: np.ndarray, height: int, width: int) -> np.ndarray:
    """(height, width): how far each pixel's middle is from a polygon's outline, in pixels."""
    points = np.moveaxis(np.mgrid[:height, :width] + 0.5, 0, -1)[..., ::-1]
    nearest = np.full((height, width), np.inf)
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        along = end - start
        share = np.clip(((points - start) @ along) / max(float(along @ along), 1e-12), 0, 1)
        nearest = np.minimum(nearest, np.linalg.norm(points - start - share[..., None] * along, axis=-1))
    return nearest
