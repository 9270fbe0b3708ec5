"""One animal: its build, and the skin that all its photos show."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from whalereid.errors import WhalereidError
from whalereid.images.synthetic.body import PLAN_SCALE, PLAN_U, PLAN_V, SKIN_COLUMNS, SKIN_ROWS, STEPS, Body
from whalereid.images.synthetic.draws import noise, uniform
from whalereid.images.synthetic.photograph import photograph
from whalereid.images.synthetic.scene import Encounter

__all__ = ["Beluga"]

VIEWPOINTS = ("top", "left", "right")
# Slate, near black, brown, ochre (a film of diatoms), pink (a fresh scar), white; as shares of the body's own colour.
PIGMENTS = np.array(
    [[0.38, 0.42, 0.50], [0.20, 0.20, 0.22], [0.50, 0.38, 0.28], [0.76, 0.62, 0.40], [0.80, 0.60, 0.57], [1.2] * 3],
    np.float32,
)


def _profile(knots: list[tuple[float, float]], nose: float) -> np.ndarray:
    """Smooth curve near (u, value) knots, rounded over the first `nose` of the body; (STEPS,) float32 over [0, 1]."""
    u, value = np.array(knots).T
    at = np.linspace(0, 1, STEPS)
    curve = cv2.GaussianBlur(np.interp(at, u, value)[:, None], (0, 0), sigmaX=1, sigmaY=9)[:, 0]
    return np.asarray(curve * np.sqrt(1 - np.clip(1 - at / nose, 0, 1) ** 2) + 1e-3, np.float32)


@dataclass(frozen=True)
class Beluga(Body):
    """One animal: everything that is the same in all its photos. `Body` says what that is."""

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Beluga:
        """Draw an animal: its build, its tone, and its scars, pigment and notches."""
        girth = uniform(rng, 0.90, 1.12)
        melon = uniform(rng, 0.88, 1.12)
        waist = uniform(rng, 0.28, 0.42)
        width = girth * _profile(
            [(0, 0.045 * melon), (0.05, 0.056 * melon), (0.10, 0.060), (0.16, 0.070), (waist, 0.102), (0.5, 0.092),
             (0.68, 0.062), (0.82, 0.032), (0.92, 0.018), (1, 0.010)], nose=0.06
        )  # fmt: skip
        notches = [(uniform(rng, 0.40, 0.68), uniform(rng, 0.006, 0.014)) for _ in range(int(rng.integers(0, 5)))]
        above = girth * _profile(
            [(0, 0.050 * melon), (0.05, 0.068 * melon), (0.10, 0.064 * melon), (0.15, 0.060), (waist, 0.092),
             (0.55, 0.085), (0.70, 0.058), (0.84, 0.034), (0.93, 0.020), (1, 0.012)], nose=0.05
        )  # fmt: skip
        below = girth * _profile(
            [(0, 0.012), (0.03, 0.022), (0.08, 0.042), (0.15, 0.058), (waist, 0.102), (0.5, 0.092), (0.70, 0.056),
             (0.84, 0.030), (0.93, 0.018), (1, 0.010)], nose=0.03
        )  # fmt: skip
        u = np.linspace(0, 1, STEPS, dtype=np.float32)
        above = above + 0.007 * np.exp(-(((u - 0.54) / 0.11) ** 4))  # the ridge, where other whales have a fin
        for place, depth in notches:
            above = above - depth * np.exp(-(((u - place) / 0.010) ** 2))
        age = uniform(rng, 0, 1)  # grey-brown calves turn blue-grey, then white
        colour = (1 - age) * np.array([0.66, 0.67, 0.70]) + age * np.array([0.98, 0.98, 0.96])
        colour = colour * np.array([uniform(rng, 0.95, 1.0), 0.98, uniform(rng, 0.92, 1.0)])
        skin = _draw_skin(rng, colour.astype(np.float32), notches)
        flipper = uniform(rng, 0.105, 0.135)
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
        return photograph(self, viewpoint, encounter, rng, height, width)


def _draw_skin(rng: np.random.Generator, colour: np.ndarray, notches: list[tuple[float, float]]) -> np.ndarray:
    rows, columns = SKIN_ROWS, SKIN_COLUMNS
    mottle = 1 + 0.035 * noise(rng, rows, columns, 60, 50) + 0.015 * noise(rng, rows, columns, 12, 12)
    moult = cv2.resize(rng.random((7, 1), dtype=np.float32), (1, rows), interpolation=cv2.INTER_CUBIC)[:, :, None]
    yellow = cv2.resize(rng.random((5, 1), dtype=np.float32), (1, rows), interpolation=cv2.INTER_CUBIC)[:, :, None]
    tone = colour * (1 - 0.30 * moult) * (1 - np.array([0, 0.02, 0.10], np.float32) * yellow)
    skin = np.clip(255 * tone * mottle[:, :, None], 0, 255).astype(np.uint8)
    for _ in range(int(rng.integers(4, 7))):  # bands of pigment over the back and down both flanks, as far as they go
        u, down = uniform(rng, 0.08, 0.88) * rows, uniform(rng, 0.28, 0.40) * columns
        lean = uniform(rng, -0.25, 0.25)
        across = np.linspace(-down, down, 16)
        wave = uniform(rng, 2, 5) * np.sin(across / 12 + uniform(rng, 0, 6))
        band = np.stack([columns / 2 + across, u + lean * np.abs(across) + wave], axis=1)
        _paint(skin, [band], int(rng.integers(8, 24)), _pigment(rng, colour), uniform(rng, 0.5, 0.9))
    for _ in range(int(rng.integers(8, 14))):
        place = uniform(rng, -1, 1)
        angle = math.pi * 0.72 * place * abs(place) ** 0.2  # a little more often on the back
        centre = np.array([(angle / (2 * math.pi) + 0.5) * columns, uniform(rng, 0.05, 0.88) * rows])
        shade, strength = _pigment(rng, colour), uniform(rng, 0.7, 1.0)
        kind = rng.random()
        if kind < 0.45:  # pigment
            turn = np.arange(10) * (2 * math.pi / 10)
            radius = uniform(rng, 8, 22) * (0.7 + 0.6 * rng.random(10))
            blotch = centre + np.stack([radius * np.cos(turn), 1.3 * radius * np.sin(turn)], axis=1)
            _paint(skin, [blotch], -1, shade, strength)
        elif kind < 0.85:  # a scar, or the parallel rakes of teeth
            direction, length, curl = uniform(rng, 0, math.pi), uniform(rng, 30, 80), uniform(rng, -0.8, 0.8)
            along = np.linspace(-0.5, 0.5, 8)
            path = direction + curl * along
            line = centre + np.stack([np.cos(path), np.sin(path)], axis=1) * (length * along)[:, None]
            beside = 10 * np.array([-math.sin(direction), math.cos(direction)])
            if rng.random() < 0.65:
                _paint(skin, [line], int(rng.integers(5, 10)), shade, strength)
            else:
                _paint(skin, [line - beside, line, line + beside], 4, shade, strength)
        else:  # a healed bite: a ring
            turn = np.arange(24) * (2 * math.pi / 23)
            ring = centre + uniform(rng, 9, 17) * np.stack([np.cos(turn), np.sin(turn)], axis=1)
            _paint(skin, [ring], 6, shade, strength)
    for place, depth in notches:  # a notch in the ridge is a dark nick across the back
        reach = depth * 1100
        nick = np.array([[columns / 2 - reach, place * rows], [columns / 2 + reach, place * rows]])
        _paint(skin, [nick], 5, 0.3 * colour, 0.9)
    return skin


def _pigment(rng: np.random.Generator, colour: np.ndarray) -> np.ndarray:
    """Draw the colour of a mark on a body of this colour, RGB in [0, 1]."""
    tint = PIGMENTS[int(rng.random() * len(PIGMENTS))] * uniform(rng, 0.85, 1.1)
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
    shifted = [np.round((line - [left, above]) * 16).astype(np.int32) for line in lines]
    if thickness < 0:
        cv2.fillPoly(mask, shifted, 255, cv2.LINE_AA, shift=4)
    else:
        cv2.polylines(mask, shifted, False, 255, thickness, cv2.LINE_AA, shift=4)
    opacity = cv2.GaussianBlur(mask, (0, 0), 0.8)[:, :, None] * np.float32(strength / 255)
    part = skin[above:below, left:right]
    part[:] = np.clip(part + opacity * (255 * shade - part), 0, 255).astype(np.uint8)


def _draw_plan(rng: np.random.Generator, colour: np.ndarray, flipper: float) -> np.ndarray:
    """Flippers and flukes from above, with the nicks in the flukes' trailing edge."""
    height, width = round((PLAN_U[1] - PLAN_U[0]) * PLAN_SCALE), round(2 * PLAN_V * PLAN_SCALE)
    opacity = np.zeros((height, width), np.uint8)

    def fill(points: np.ndarray, value: int = 255) -> None:
        pixels = (points[:, ::-1] - np.array([-PLAN_V, PLAN_U[0]])) * (PLAN_SCALE * 16)
        cv2.fillPoly(opacity, [np.round(pixels).astype(np.int32)], value, cv2.LINE_AA, shift=4)

    sweep = uniform(rng, 0.5, 0.9)
    span, chord = uniform(rng, 0.115, 0.14), uniform(rng, 0.9, 1.1)
    for side in (-1, 1):
        u, v = 0.24 + flipper * sweep, side * (0.075 + flipper * math.sqrt(1 - 0.5 * sweep**2))
        fill(np.array([[0.20, side * 0.05], [u / 2 + 0.088, v / 2 + side * 0.042], [u - 0.012, v], [u, v],
                       [u / 2 + 0.152, v / 2 + side * 0.03], [0.28, side * 0.05]]))  # fmt: skip
        fill(np.array([[0.88, 0], [0.90, side * 0.015], [0.935, side * 0.6 * span], [0.972, side * span],
                       [0.985, side * 0.97 * span], [0.982 + 0.012 * chord, side * 0.55 * span],
                       [0.985, side * 0.12 * span], [0.965, 0]]))  # fmt: skip
    for _ in range(int(rng.integers(0, 4))):
        v, size = uniform(rng, -0.9, 0.9) * span, uniform(rng, 0.006, 0.014)
        fill(np.array([[1.02, v - size], [0.985 - 1.6 * size, v], [1.02, v + size]]), 0)
    shade = np.broadcast_to(np.clip(255 * 0.86 * colour, 0, 255), (height, width, 3))
    return np.dstack([shade.astype(np.uint8), opacity])
