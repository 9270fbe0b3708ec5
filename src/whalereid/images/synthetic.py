"""Rendered belugas: animals whose marks are known to be the same from every side, for demos, tests and benchmarks.

An animal is a body (lengthwise profiles seen from above and from the side) wrapped in one skin, an image over
(length, angle around the body). A photo looks that skin up through the body's surface, so a scar high on the left flank
shows from above and from the left, foreshortened in each, and never from the right. What the animal does not own is
drawn anew: the day (water, light, sharpness), the encounter (depth, posture) and the photo (pose, scale, crop, ripples,
glare, noise).
"""

from __future__ import annotations

import json
import math
import os
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import track

from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError
from whalereid.files import claim_folder, disk_errors, replacing

__all__ = ["Beluga", "Encounter", "SurveyDay", "render_dataset"]

VIEWPOINTS = ("top", "left", "right")

# Skin: rows run from nose (0) to tail stock, columns from belly over the right flank, back (middle) and left flank to
# the belly. About square on the body where it is thickest.
_SKIN_ROWS, _SKIN_COLUMNS = 384, 256
# Plan of fins and flukes, in body lengths: u along, v across.
_PLAN_U, _PLAN_V = (-0.03, 1.03), 0.26
_PLAN_SCALE = 256  # pixels per body length
_STEPS = 512  # samples of a lengthwise profile


def _uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return low + (high - low) * float(rng.random())


def _generator(seed: int, *key: int) -> np.random.Generator:
    """One independent stream per thing drawn, so that nothing depends on the order in which things are drawn."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))


def _noise(rng: np.random.Generator, height: int, width: int, cell_height: float, cell_width: float) -> np.ndarray:
    """Smooth noise of about zero mean and unit spread, (height, width) float32, with bumps of about one cell."""
    rows, columns = max(2, round(height / cell_height) + 1), max(2, round(width / cell_width) + 1)
    grid = rng.standard_normal((rows, columns), dtype=np.float32)
    return np.asarray(cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def _profile(knots: list[tuple[float, float]], nose: float) -> np.ndarray:
    """Smooth curve near (u, value) knots, rounded over the first `nose` of the body; (_STEPS,) float32 over [0, 1]."""
    u, value = np.array(knots).T
    at = np.linspace(0, 1, _STEPS)
    curve = cv2.GaussianBlur(np.interp(at, u, value)[:, None], (0, 0), sigmaX=1, sigmaY=9)[:, 0]
    return np.asarray(curve * np.sqrt(1 - np.clip(1 - at / nose, 0, 1) ** 2) + 1e-3, np.float32)


@dataclass(frozen=True)
class SurveyDay:
    """What all photos of one day share.

    Attributes
    ----------
    water : ndarray of shape (3,), float32
        Colour of the water, RGB in [0, 1].
    light : tuple of two floats
        Where the light comes from, across and along the body; its third component points to the camera.
    ambient : float
        Share of light without direction, in [0, 1].
    exposure, contrast : float
        Of the camera's settings on that day.
    ripple : float
        Strength of the light's dance on skin and water.
    sharpness : float
        Blur of the day's optics, in pixels at a body length of 300 pixels.
    """

    water: np.ndarray
    light: tuple[float, float]
    ambient: float
    exposure: float
    contrast: float
    ripple: float
    sharpness: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> SurveyDay:
        """Draw a day."""
        tide = rng.random()  # from blue-green sea to brown river
        water = (1 - tide) * np.array([0.10, 0.36, 0.42]) + tide * np.array([0.30, 0.36, 0.24])
        water = water * _uniform(rng, 0.7, 1.35) + rng.standard_normal(3) * 0.025
        angle = _uniform(rng, 0, 2 * math.pi)
        tilt = _uniform(rng, 0.1, 0.6)
        return cls(
            water=np.clip(water, 0.04, 0.7).astype(np.float32),
            light=(tilt * math.cos(angle), tilt * math.sin(angle)),
            ambient=_uniform(rng, 0.45, 0.75),
            exposure=_uniform(rng, 0.8, 1.15),
            contrast=_uniform(rng, 0.85, 1.15),
            ripple=_uniform(rng, 0.02, 0.08),
            sharpness=_uniform(rng, 0.2, 1.0),
        )


@dataclass(frozen=True)
class Encounter:
    """One sighting: the day, and what stays alike while the animal is followed.

    Attributes
    ----------
    day : SurveyDay
    depth : float
        Share of the skin's colour that the water swallows, in [0, 1].
    pitch : float
        How much deeper the tail lies than the head, in the same unit.
    bend : float
        Sideways bend of the body, in body lengths.
    roll : float
        Turn about the body's axis, in radians.
    """

    day: SurveyDay
    depth: float
    pitch: float
    bend: float
    roll: float

    @classmethod
    def draw(cls, day: SurveyDay, rng: np.random.Generator) -> Encounter:
        """Draw an encounter on a given day."""
        return cls(
            day=day,
            depth=_uniform(rng, 0.04, 0.18),
            pitch=_uniform(rng, -0.08, 0.12),
            bend=_uniform(rng, -0.035, 0.035),
            roll=_uniform(rng, -0.12, 0.12),
        )


@dataclass(frozen=True)
class Beluga:
    """One animal: everything that is the same in all its photos.

    Attributes
    ----------
    skin : ndarray of shape (384, 256, 3), uint8
        Colours over length (nose first) and angle around the body (belly, right flank, back, left flank, belly), RGB.
    width, above, below : ndarray of shape (512,), float32
        Half width seen from above, and height of back and belly over the axis seen from the side, in body lengths.
    plan : ndarray of shape (271, 133, 4), uint8
        Flippers and flukes seen from above, RGB and opacity.
    flipper : float
        Length of a flipper, in body lengths.
    """

    skin: np.ndarray
    width: np.ndarray
    above: np.ndarray
    below: np.ndarray
    plan: np.ndarray
    flipper: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Beluga:
        """Draw an animal: its build, its tone, and its scars, pigment and notches."""
        girth = _uniform(rng, 0.90, 1.12)
        melon = _uniform(rng, 0.88, 1.12)
        waist = _uniform(rng, 0.28, 0.42)
        width = girth * _profile(
            [(0, 0.045 * melon), (0.05, 0.056 * melon), (0.10, 0.060), (0.16, 0.070), (waist, 0.102), (0.5, 0.092),
             (0.68, 0.062), (0.82, 0.032), (0.92, 0.018), (1, 0.010)], nose=0.06
        )  # fmt: skip
        notches = [(_uniform(rng, 0.40, 0.68), _uniform(rng, 0.006, 0.014)) for _ in range(int(rng.integers(0, 5)))]
        above = girth * _profile(
            [(0, 0.050 * melon), (0.05, 0.068 * melon), (0.10, 0.064 * melon), (0.15, 0.060), (waist, 0.092),
             (0.55, 0.085), (0.70, 0.058), (0.84, 0.034), (0.93, 0.020), (1, 0.012)], nose=0.05
        )  # fmt: skip
        below = girth * _profile(
            [(0, 0.012), (0.03, 0.022), (0.08, 0.042), (0.15, 0.058), (waist, 0.102), (0.5, 0.092), (0.70, 0.056),
             (0.84, 0.030), (0.93, 0.018), (1, 0.010)], nose=0.03
        )  # fmt: skip
        u = np.linspace(0, 1, _STEPS, dtype=np.float32)
        above = above + 0.007 * np.exp(-(((u - 0.54) / 0.11) ** 4))  # the ridge, where other whales have a fin
        for place, depth in notches:
            above = above - depth * np.exp(-(((u - place) / 0.010) ** 2))
        age = _uniform(rng, 0, 1)  # grey-brown calves turn blue-grey, then white
        colour = (1 - age) * np.array([0.66, 0.67, 0.70]) + age * np.array([0.98, 0.98, 0.96])
        colour = colour * np.array([_uniform(rng, 0.95, 1.0), 0.98, _uniform(rng, 0.92, 1.0)])
        skin = _draw_skin(rng, colour.astype(np.float32), notches)
        flipper = _uniform(rng, 0.105, 0.135)
        return cls(skin, width, above.astype(np.float32), below, _draw_plan(rng, colour, flipper), flipper)

    def photo(
        self, viewpoint: str, encounter: Encounter, rng: np.random.Generator, *, height: int, width: int
    ) -> np.ndarray:
        """Photograph the animal: (height, width, 3) uint8 RGB.

        Parameters
        ----------
        viewpoint : {"top", "left", "right"}
            From above the head points up; from the left it points left, from the right, right.
        encounter : Encounter
            When and how it was met.
        rng : Generator
            Draws what differs between two photos of one encounter.
        height, width : int
            Of the photo, in pixels; the body fills most of its longer side.

        Raises
        ------
        WhalereidError
            The viewpoint is not one of the three.
        """
        if viewpoint not in VIEWPOINTS:
            raise WhalereidError(f"unknown viewpoint {viewpoint!r}; choose from {', '.join(VIEWPOINTS)}.")
        return _photograph(self, viewpoint, encounter, rng, height, width)


def _draw_skin(rng: np.random.Generator, colour: np.ndarray, notches: list[tuple[float, float]]) -> np.ndarray:
    rows, columns = _SKIN_ROWS, _SKIN_COLUMNS
    mottle = 1 + 0.035 * _noise(rng, rows, columns, 60, 50) + 0.015 * _noise(rng, rows, columns, 12, 12)
    moult = cv2.resize(rng.random((7, 1), dtype=np.float32), (1, rows), interpolation=cv2.INTER_CUBIC)[:, :, None]
    yellow = cv2.resize(rng.random((5, 1), dtype=np.float32), (1, rows), interpolation=cv2.INTER_CUBIC)[:, :, None]
    tone = colour * (1 - 0.30 * moult) * (1 - np.float32([0, 0.02, 0.10]) * yellow)
    skin = np.clip(255 * tone * mottle[:, :, None], 0, 255).astype(np.uint8)
    for _ in range(int(rng.integers(4, 7))):  # bands of pigment over the back and down both flanks, as far as they go
        u, down = _uniform(rng, 0.08, 0.88) * rows, _uniform(rng, 0.28, 0.40) * columns
        lean = _uniform(rng, -0.25, 0.25)
        across = np.linspace(-down, down, 16)
        wave = _uniform(rng, 2, 5) * np.sin(across / 12 + _uniform(rng, 0, 6))
        band = np.stack([columns / 2 + across, u + lean * np.abs(across) + wave], axis=1)
        _paint(skin, [band], int(rng.integers(8, 24)), _pigment(rng, colour), _uniform(rng, 0.5, 0.9))
    for _ in range(int(rng.integers(8, 14))):
        place = _uniform(rng, -1, 1)
        angle = math.pi * 0.72 * place * abs(place) ** 0.2  # a little more often on the back
        centre = np.array([(angle / (2 * math.pi) + 0.5) * columns, _uniform(rng, 0.05, 0.88) * rows])
        shade, strength = _pigment(rng, colour), _uniform(rng, 0.7, 1.0)
        kind = rng.random()
        if kind < 0.45:  # pigment
            turn = np.arange(10) * (2 * math.pi / 10)
            reach = _uniform(rng, 8, 22) * (0.7 + 0.6 * rng.random(10))
            blotch = centre + np.stack([reach * np.cos(turn), 1.3 * reach * np.sin(turn)], axis=1)
            _paint(skin, [blotch], -1, shade, strength)
        elif kind < 0.85:  # a scar, or the parallel rakes of teeth
            direction, length, curl = _uniform(rng, 0, math.pi), _uniform(rng, 30, 80), _uniform(rng, -0.8, 0.8)
            along = np.linspace(-0.5, 0.5, 8)
            path = direction + curl * along
            line = centre + np.stack([np.cos(path), np.sin(path)], axis=1) * (length * along)[:, None]
            across = 10 * np.array([-math.sin(direction), math.cos(direction)])
            if rng.random() < 0.65:
                _paint(skin, [line], int(rng.integers(5, 10)), shade, strength)
            else:
                _paint(skin, [line - across, line, line + across], 4, shade, strength)
        else:  # a healed bite: a ring
            turn = np.arange(24) * (2 * math.pi / 23)
            ring = centre + _uniform(rng, 9, 17) * np.stack([np.cos(turn), np.sin(turn)], axis=1)
            _paint(skin, [ring], 6, shade, strength)
    for place, depth in notches:  # a notch in the ridge is a dark nick across the back
        reach = depth * 1100
        nick = np.array([[columns / 2 - reach, place * rows], [columns / 2 + reach, place * rows]])
        _paint(skin, [nick], 5, 0.3 * colour, 0.9)
    return skin


def _pigment(rng: np.random.Generator, colour: np.ndarray) -> np.ndarray:
    """Draw the colour of a mark, RGB in [0, 1]: slate, brown, ochre (a film of diatoms), pink (a fresh scar) or white."""
    tints = (
        (0.38, 0.42, 0.50),
        (0.20, 0.20, 0.22),
        (0.50, 0.38, 0.28),
        (0.76, 0.62, 0.40),
        (0.80, 0.60, 0.57),
        (1.2, 1.2, 1.2),
    )
    tint = np.array(tints[int(rng.random() * len(tints))], np.float32) * _uniform(rng, 0.85, 1.1)
    return np.clip(tint * (0.4 + 0.6 * colour), 0, 1)


def _paint(skin: np.ndarray, lines: list[np.ndarray], thickness: int, shade: np.ndarray, strength: float) -> None:
    """Draw lines, or areas where `thickness` is -1, softly onto the skin, in place."""
    points = np.concatenate(lines)
    pad = max(thickness, 0) + 4
    left, above = np.maximum(points.min(axis=0).astype(int) - pad, 0)
    right, below = np.minimum(points.max(axis=0).astype(int) + pad + 1, [skin.shape[1], skin.shape[0]])
    if left >= right or above >= below:
        return
    mask = np.zeros((below - above, right - left), np.uint8)
    shifted = [np.int32(np.round((line - [left, above]) * 16)) for line in lines]
    if thickness < 0:
        cv2.fillPoly(mask, shifted, 255, cv2.LINE_AA, shift=4)
    else:
        cv2.polylines(mask, shifted, False, 255, thickness, cv2.LINE_AA, shift=4)
    opacity = cv2.GaussianBlur(mask, (0, 0), 0.8)[:, :, None] * np.float32(strength / 255)
    part = skin[above:below, left:right]
    part[:] = np.clip(part + opacity * (255 * shade - part), 0, 255).astype(np.uint8)


def _draw_plan(rng: np.random.Generator, colour: np.ndarray, flipper: float) -> np.ndarray:
    """Flippers and flukes from above, with the nicks in the flukes' trailing edge."""
    height, width = round((_PLAN_U[1] - _PLAN_U[0]) * _PLAN_SCALE), round(2 * _PLAN_V * _PLAN_SCALE)
    opacity = np.zeros((height, width), np.uint8)

    def fill(points: np.ndarray, value: int = 255) -> None:
        pixels = (points[:, ::-1] - np.array([-_PLAN_V, _PLAN_U[0]])) * (_PLAN_SCALE * 16)
        cv2.fillPoly(opacity, [np.int32(np.round(pixels))], value, cv2.LINE_AA, shift=4)

    sweep = _uniform(rng, 0.5, 0.9)
    span, chord = _uniform(rng, 0.115, 0.14), _uniform(rng, 0.9, 1.1)
    for side in (-1, 1):
        tip = np.array([0.24 + flipper * sweep, side * (0.075 + flipper * math.sqrt(1 - 0.5 * sweep**2))])
        fill(np.array([[0.20, side * 0.05], (tip + [0.20, side * 0.06]) / 2 + [-0.012, side * 0.012], tip - [0.012, 0],
                       tip, (tip + [0.28, side * 0.06]) / 2 + [0.012, 0], [0.28, side * 0.05]]))  # fmt: skip
        fill(np.array([[0.88, 0], [0.90, side * 0.015], [0.935, side * 0.6 * span], [0.972, side * span],
                       [0.985, side * 0.97 * span], [0.982 + 0.012 * chord, side * 0.55 * span],
                       [0.985, side * 0.12 * span], [0.965, 0]]))  # fmt: skip
    for _ in range(int(rng.integers(0, 4))):
        v, size = _uniform(rng, -0.9, 0.9) * span, _uniform(rng, 0.006, 0.014)
        fill(np.array([[1.02, v - size], [0.985 - 1.6 * size, v], [1.02, v + size]]), 0)
    shade = np.broadcast_to(np.clip(255 * 0.86 * colour, 0, 255), (height, width, 3))
    return np.dstack([shade.astype(np.uint8), opacity])


@lru_cache(maxsize=64)
def _grid(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return y - (height - 1) / 2, x - (width - 1) / 2


def _photograph(
    beluga: Beluga, viewpoint: str, encounter: Encounter, rng: np.random.Generator, height: int, width: int
) -> np.ndarray:
    day = encounter.day
    top = viewpoint == "top"
    # 1. Pixels to body coordinates: u along the body from the nose, v across it, in body lengths.
    rows, columns = (height, width) if top else (width, height)
    y, x = _grid(rows, columns)
    length = rows * _uniform(rng, 0.86, 0.97)
    tilt = _uniform(rng, -0.06, 0.06) if top else _uniform(rng, -0.05, 0.05)
    cos, sin = math.cos(tilt) / length, math.sin(tilt) / length
    slack = max(rows - length, 0) / length
    u = y * cos + x * sin + 0.5 + 0.45 * slack * _uniform(rng, -1, 1)
    v = x * cos - y * sin + _uniform(rng, -0.02, 0.02)
    bend = encounter.bend + _uniform(rng, -0.02, 0.02)
    wag = _uniform(rng, -0.015, 0.015)
    v -= (4 * bend) * (u - 0.4) ** 2 + wag * np.sin(6 * (u - 0.3))
    # 2. The surface: how far across the body (t in [-1, 1]) each pixel lies, and which part of the skin it shows.
    step = np.clip(u * (_STEPS - 1), 0, _STEPS - 1).astype(np.int32)
    if top:
        half = beluga.width[step]
        t = v / half
    else:  # drawn with the head up and the back to the right, and turned at the end
        above, below = beluga.above[step], beluga.below[step]
        half = (above + below) / 2
        t = ((above - below) / 2 - v) / half
    ends = np.minimum(u, 1 - u) * length + 0.5
    opacity = np.clip((half - np.abs(t) * half) * length + 0.5, 0, 1) * np.clip(ends, 0, 1)
    across = np.clip(t, -1, 1)
    facing = np.sqrt(1 - across * across)
    around = np.arcsin(across)
    roll = encounter.roll + _uniform(rng, -0.06, 0.06)
    if top:
        around = roll - around
    elif viewpoint == "left":
        around = math.pi / 2 + around + roll
    else:
        around = -math.pi / 2 - around + roll
    column = np.mod(around * (_SKIN_COLUMNS / (2 * math.pi)) + _SKIN_COLUMNS / 2, _SKIN_COLUMNS)
    skin = cv2.remap(beluga.skin, column, u * _SKIN_ROWS, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    # 3. Light on it.
    lit = (
        day.light[0] * across + day.light[1] * (0.5 - u) + math.sqrt(1 - day.light[0] ** 2 - day.light[1] ** 2) * facing
    )
    shade = day.ambient + (1 - day.ambient) * np.clip(lit, 0, None) + 0.05
    shade *= 0.72 + 0.28 * facing
    animal = skin.astype(np.float32) * (shade / 255)[:, :, None]
    # 4. Fins.
    if top:
        plan = cv2.remap(beluga.plan, (v + _PLAN_V) * _PLAN_SCALE, (u - _PLAN_U[0]) * _PLAN_SCALE, cv2.INTER_LINEAR)
        under = plan[:, :, 3].astype(np.float32) / 255
        body = opacity[:, :, None]
        animal = animal * body + plan[:, :, :3].astype(np.float32) * ((day.ambient + 0.35) * 0.9 / 255) * (1 - body)
        opacity = np.maximum(opacity, under)
    else:
        animal, opacity = _side_fins(beluga, animal, opacity, u, v, length, day, rng)
    # 5. Water: below the animal, over it, and dancing light on both.
    ripples = _noise(rng, rows, columns, rows / 14, columns / 5) + 0.6 * _noise(
        rng, rows, columns, rows / 34, columns / 12
    )
    gradient = 1 + 0.25 * day.light[1] * (y / rows) + 0.06 * _noise(rng, rows, columns, rows / 3, columns / 2)
    water = day.water * (gradient + 0.8 * day.ripple * ripples)[:, :, None]
    depth = np.clip(encounter.depth + encounter.pitch * (u - 0.4) + _uniform(rng, -0.05, 0.05), 0.03, 0.8)
    animal = animal * (1 + day.ripple * ripples)[:, :, None]
    veil = (opacity * (1 - depth))[:, :, None]
    photo = water + veil * (animal - water)
    # 6. The surface between: glare.
    if rng.random() < 0.6:
        sparkle = _noise(rng, rows, columns, rows / 24, columns / 5)
        glare = np.clip(sparkle - _uniform(rng, 1.3, 2.4), 0, 0.8) * _uniform(rng, 0.3, 0.8)
        photo += glare[:, :, None] * (0.95 - photo)
    # 7. The camera.
    sigma = (day.sharpness + _uniform(rng, 0, 0.7)) * length / 300
    if sigma > 0.25:
        photo = cv2.GaussianBlur(photo, (0, 0), sigma)
    photo = (photo - 0.45) * (day.contrast * _uniform(rng, 0.93, 1.07)) + 0.45
    photo *= 255 * day.exposure * _uniform(rng, 0.93, 1.07)
    grain = rng.standard_normal((rows, columns), dtype=np.float32) * _uniform(rng, 1, 5)
    image = np.clip(photo + grain[:, :, None], 0, 255).astype(np.uint8)
    if viewpoint == "left":
        return np.ascontiguousarray(np.rot90(image, 1))
    if viewpoint == "right":
        return np.ascontiguousarray(np.rot90(image, 1)[:, ::-1])
    return image


def _side_fins(
    beluga: Beluga,
    animal: np.ndarray,
    opacity: np.ndarray,
    u: np.ndarray,
    v: np.ndarray,
    length: float,
    day: SurveyDay,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Add the near flipper, and the flukes seen edge on."""
    tone = beluga.skin[:, _SKIN_COLUMNS // 2].mean(axis=0) * (0.8 * (day.ambient + 0.4) / 255)
    lift = _uniform(rng, -0.05, 0.05)
    for start, end, thick in (
        ((0.23, -0.045), (0.23 + beluga.flipper * 0.8, -0.06 - beluga.flipper * 0.5), 0.024),
        ((0.93, 0.004), (1.0, 0.004 + lift), 0.016),
    ):
        du, dv = end[0] - start[0], end[1] - start[1]
        along = np.clip(((u - start[0]) * du + (v - start[1]) * dv) / (du * du + dv * dv), 0, 1)
        away = np.hypot(u - start[0] - along * du, v - start[1] - along * dv)
        fin = np.clip((thick * (1 - 0.55 * along) - away) * length + 0.5, 0, 1)
        animal = animal + fin[:, :, None] * (tone.astype(np.float32) - animal)
        opacity = np.maximum(opacity, fin)
    return animal, opacity


# ---------------------------------------------------------------------------------------------------------------------
# The data set
# ---------------------------------------------------------------------------------------------------------------------

_YEARS, _DAYS_A_YEAR = (2017, 2018, 2019), 12
_MARKER = "rendered.json"
_COLUMNS = ["image_id", "path", "height", "width", "viewpoint", "date", "timestamp", "whale_id", "encounter_id"]
# Streams of random numbers, so that a day looks the same whoever is met on it.
_CALENDAR, _TABLE, _DAY, _ENCOUNTER, _ANIMAL, _PHOTO = range(6)


def render_dataset(
    folder: str | os.PathLike[str],
    *,
    n_identities: int = 200,
    n_unseen: int = 60,
    seed: int = 0,
    progress: bool = True,
) -> Catalogue:
    """Render a data set of belugas in the competition's layout.

    Training animals are met three times, on different days, in about eleven photos. The unseen animals are met four
    times, at least once in each of three years; the scenarios hold them alone. No query shares an encounter with a
    database photo other than itself, so that what is asked is who it is, not which day it was:

    1. top among top: one photo of each encounter, everyone among everyone;
    2. top among top: the later two encounters of each animal among its earlier two;
    3. lateral among top: likewise;
    4. top among lateral: the last encounter among the earlier two;
    5. top among top, disjoint years: 2019 among 2017;
    6. any view among any view: the last encounter among the earlier two.

    Parameters
    ----------
    folder : path
        Where to write: ``metadata.csv`` (the competition's columns, and ``split``: ``train`` or ``test``), ``images/``,
        ``query_scenarios.csv``, ``queries/``, ``databases/`` and ``labels.csv``. Made; or replaced, if it holds an
        earlier rendering. Written whole or not at all.
    n_identities : int
        Animals to train on.
    n_unseen : int
        Further animals, for the scenarios.
    seed : int
        The same seed gives the same tables everywhere and the same pixels on one machine, however many its cores.
    progress : bool
        Show a bar on stderr.

    Returns
    -------
    Catalogue
        The data set, read back.

    Raises
    ------
    WhalereidError
        A number is too small, or the folder holds something else or can't be written.
    """
    for name, value, least in (("n_identities", n_identities, 2), ("n_unseen", n_unseen, 2), ("seed", seed, 0)):
        if value < least:
            raise WhalereidError(f"{name} is {value}; it must be {least} or more.")
    folder = claim_folder(folder, marker=_MARKER, option="folder").absolute()
    table = _draw_table(seed, n_identities, n_unseen)
    days = [SurveyDay.draw(_generator(seed, _DAY, day)) for day in range(len(_YEARS) * _DAYS_A_YEAR)]
    herds = [(int(whale), rows) for whale, rows in table.groupby("whale", sort=True)]
    with replacing(folder) as beside:
        (beside / "images").mkdir(parents=True)
        with ThreadPoolExecutor() as pool:
            jobs = (pool.submit(_render_whale, beside, seed, whale, rows, days) for whale, rows in herds)
            done = as_completed(list(jobs))
            for job in track(done, "rendering belugas", len(herds), console=Console(stderr=True), disable=not progress):
                job.result()
        _write_tables(beside, table)
        about = {"renderer": "whalereid", "seed": seed, "n_identities": n_identities, "n_unseen": n_unseen}
        (beside / _MARKER).write_text(json.dumps(about) + "\n")
    return Catalogue.read(folder)


def _draw_table(seed: int, n_identities: int, n_unseen: int) -> pd.DataFrame:
    """Who was photographed when, from where: one row a photo, ordered by time.

    Only uniform numbers and exact arithmetic are used, so that the table is the same on every platform.
    """
    calendar = _generator(seed, _CALENDAR)
    dates = [
        datetime(year, 7, 1) + timedelta(days=day)
        for year in _YEARS
        for day in sorted(calendar.permutation(60)[:_DAYS_A_YEAR].tolist())
    ]
    rows = []
    for whale in range(n_identities + n_unseen):
        rng = _generator(seed, _TABLE, whale)
        unseen = whale >= n_identities
        for meeting, day in enumerate(_meetings(rng, unseen)):
            start = dates[day] + timedelta(seconds=int(rng.integers(8 * 3600, 19 * 3600)))
            views = ["top"] * (2 if unseen else int(rng.integers(2, 4)))
            side = (whale + meeting) % 2
            views += [VIEWPOINTS[1 + side]] + ([VIEWPOINTS[2 - side]] if rng.random() < 0.4 else [])
            for view in views:
                long = int(rng.integers(250, 401))
                short = int(long * 100 // int(rng.integers(240, 331)))
                rows.append(
                    {
                        "height": long if view == "top" else short,
                        "width": short if view == "top" else long,
                        "viewpoint": view,
                        "time": start,
                        "whale": whale,
                        "meeting": meeting,
                        "day": day,
                        "split": "test" if unseen else "train",
                    }
                )
                start += timedelta(seconds=int(rng.integers(2, 40)))
    table = pd.DataFrame(rows).sort_values(["time", "whale"], kind="stable", ignore_index=True)
    digits = max(4, len(str(len(table))))
    number = table.groupby("split").cumcount()
    table["image_id"] = [f"{split}{n:0{digits}d}" for split, n in zip(table["split"], number, strict=True)]
    table["path"] = "images/" + table["image_id"] + ".jpg"
    table["date"] = [time.strftime("%Y-%m-%d") for time in table["time"]]
    table["timestamp"] = [time.strftime("%Y-%m-%d %H:%M:%S") for time in table["time"]]
    digits = max(3, len(str(n_identities + n_unseen)))
    table["whale_id"] = [f"whale{whale:0{digits}d}" for whale in table["whale"]]
    table["encounter_id"] = [f"{name}-{m:03d}" for name, m in zip(table["whale_id"], table["meeting"], strict=True)]
    return table


def _meetings(rng: np.random.Generator, unseen: bool) -> list[int]:
    """On which days an animal is met, in order: unseen ones in every year, and once more in the middle one."""
    if not unseen:
        return sorted(rng.permutation(len(_YEARS) * _DAYS_A_YEAR)[:3].tolist())
    first, middle, last = (rng.permutation(_DAYS_A_YEAR) + year * _DAYS_A_YEAR for year in range(3))
    return [int(first[0]), *sorted(middle[:2].tolist()), int(last[0])]


def _render_whale(folder: Path, seed: int, whale: int, rows: pd.DataFrame, days: list[SurveyDay]) -> None:
    beluga = Beluga.draw(_generator(seed, _ANIMAL, whale))
    met = {
        meeting: Encounter.draw(days[day], _generator(seed, _ENCOUNTER, whale, meeting))
        for meeting, day in zip(rows["meeting"].tolist(), rows["day"].tolist(), strict=True)
    }
    for number, row in enumerate(rows.itertuples()):
        rng = _generator(seed, _PHOTO, whale, number)
        photo = beluga.photo(row.viewpoint, met[row.meeting], rng, height=row.height, width=row.width)
        quality = int(rng.integers(80, 96))
        encoded = cv2.imencode(".jpg", photo[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        (folder / row.path).write_bytes(encoded.tobytes())


def _write_tables(folder: Path, table: pd.DataFrame) -> None:
    """Write the catalogue, the scenarios and their labels."""
    table[[*_COLUMNS, "split"]].to_csv(folder / "metadata.csv", index=False, lineterminator="\n")
    test = table[table["split"] == "test"]
    top = test["viewpoint"] == "top"
    year = test["time"].dt.year
    late, early = test["meeting"] >= 2, test["meeting"] < 2
    last = test["meeting"] == test["meeting"].max()
    first = ~test.duplicated(["encounter_id", "viewpoint"])
    tasks = [
        (top & first, top & first),
        (top & late, top & early),
        (~top & late, top & early),
        (top & last, ~top & early),
        (top & (year == _YEARS[-1]), top & (year == _YEARS[0])),
        (last, early),
    ]
    names = [f"scenario{number:02d}" for number in range(1, len(tasks) + 1)]
    labels = []
    for part in ("queries", "databases"):
        (folder / part).mkdir()
    for name, (asked, held) in zip(names, tasks, strict=True):
        queries, database = test[asked][["image_id", "whale_id"]], test[held][["image_id", "whale_id"]]
        queries = queries.assign(query_id=name + "-" + queries["image_id"]).rename(
            columns={"image_id": "query_image_id"}
        )
        database = database.rename(columns={"image_id": "database_image_id"})
        queries[["query_id", "query_image_id"]].to_csv(folder / f"queries/{name}.csv", index=False, lineterminator="\n")
        database[["database_image_id"]].to_csv(folder / f"databases/{name}.csv", index=False, lineterminator="\n")
        pairs = queries.merge(database, on="whale_id")
        labels.append(pairs[pairs["query_image_id"] != pairs["database_image_id"]])
    scenarios = {
        "scenario_id": names,
        "queries_path": [f"queries/{name}.csv" for name in names],
        "database_path": [f"databases/{name}.csv" for name in names],
    }
    pd.DataFrame(scenarios).to_csv(folder / "query_scenarios.csv", index=False, lineterminator="\n")
    pd.concat(labels)[["query_id", "database_image_id"]].to_csv(folder / "labels.csv", index=False, lineterminator="\n")
