"""From an animal and an encounter to a photo: geometry, light, water, camera."""

from __future__ import annotations

import math
from functools import lru_cache

import cv2
import numpy as np

from whalereid.images.synthetic.body import PLAN_SCALE, PLAN_U, PLAN_V, SKIN_COLUMNS, SKIN_ROWS, STEPS, Body
from whalereid.images.synthetic.draws import noise, uniform
from whalereid.images.synthetic.scene import Encounter, SurveyDay

__all__ = ["photograph"]


@lru_cache(maxsize=64)
def _grid(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return y - (height - 1) / 2, x - (width - 1) / 2


def photograph(
    body: Body, viewpoint: str, encounter: Encounter, rng: np.random.Generator, height: int, width: int
) -> np.ndarray:
    """Photograph an animal; see `Beluga.photo`."""
    day = encounter.day
    top = viewpoint == "top"
    # 1. Pixels to body coordinates: u along the body from the nose, v across it, in body lengths.
    rows, columns = (height, width) if top else (width, height)
    y, x = _grid(rows, columns)
    length = rows * uniform(rng, 0.86, 1.03)
    tilt = uniform(rng, -0.06, 0.06) if top else uniform(rng, -0.05, 0.05)
    cos, sin = math.cos(tilt) / length, math.sin(tilt) / length
    slack = abs(rows - length) / length
    u = y * cos + x * sin + 0.5 + 0.45 * slack * uniform(rng, -1, 1)
    v = x * cos - y * sin + uniform(rng, -0.02, 0.02)
    bend = encounter.bend + uniform(rng, -0.02, 0.02)
    wag = uniform(rng, -0.015, 0.015)
    v -= (4 * bend) * (u - 0.4) ** 2 + wag * np.sin(6 * (u - 0.3))
    # 2. The surface: how far across the body (t in [-1, 1]) each pixel lies, and which part of the skin it shows.
    step = np.clip(u * (STEPS - 1), 0, STEPS - 1).astype(np.int32)
    if top:
        half = body.width[step]
        t = v / half
    else:  # drawn with the head up and the back to the right, and turned at the end
        above, below = body.above[step], body.below[step]
        half = (above + below) / 2
        t = ((above - below) / 2 - v) / half
    ends = np.minimum(u, 1 - u) * length + 0.5
    opacity = np.clip((half - np.abs(t) * half) * length + 0.5, 0, 1) * np.clip(ends, 0, 1)
    across = np.clip(t, -1, 1)
    facing = np.sqrt(1 - across * across)
    around = np.arcsin(across)
    roll = encounter.roll + uniform(rng, -0.06, 0.06)
    if top:
        around = roll - around
    elif viewpoint == "left":
        around = math.pi / 2 + around + roll
    else:
        around = -math.pi / 2 - around + roll
    column = np.mod(around * (SKIN_COLUMNS / (2 * math.pi)) + SKIN_COLUMNS / 2, SKIN_COLUMNS)
    skin = cv2.remap(body.skin, column, u * SKIN_ROWS, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    # 3. Light on it.
    sideways, lengthways = day.light
    towards = math.sqrt(1 - sideways**2 - lengthways**2)
    lit = sideways * across + lengthways * (0.5 - u) + towards * facing
    shade = day.ambient + (1 - day.ambient) * np.clip(lit, 0, None) + 0.05
    shade *= 0.72 + 0.28 * facing
    animal = skin.astype(np.float32) * (shade / 255)[:, :, None]
    # 4. Fins.
    if top:
        plan = cv2.remap(body.plan, (v + PLAN_V) * PLAN_SCALE, (u - PLAN_U[0]) * PLAN_SCALE, cv2.INTER_LINEAR)
        under = plan[:, :, 3].astype(np.float32) / 255
        solid = opacity[:, :, None]
        animal = animal * solid + plan[:, :, :3].astype(np.float32) * ((day.ambient + 0.35) * 0.9 / 255) * (1 - solid)
        opacity = np.maximum(opacity, under)
    else:
        animal, opacity = _side_fins(body, animal, opacity, u, v, length, day, rng)
    # 5. Water: below the animal, over it, and dancing light on both.
    ripples = noise(rng, rows, columns, rows / 14, columns / 5)
    ripples += 0.6 * noise(rng, rows, columns, rows / 34, columns / 12)
    gradient = 1 + 0.25 * lengthways * (y / rows) + 0.06 * noise(rng, rows, columns, rows / 3, columns / 2)
    water = day.water * (gradient + 0.8 * day.ripple * ripples)[:, :, None]
    depth = np.clip(encounter.depth + encounter.pitch * (u - 0.4) + uniform(rng, -0.05, 0.05), 0.03, 0.8)
    animal = animal * (1 + day.ripple * ripples)[:, :, None]
    veil = (opacity * (1 - depth))[:, :, None]
    photo = water + veil * (animal - water)
    # 6. The surface between: glare.
    if rng.random() < 0.6:
        sparkle = noise(rng, rows, columns, rows / 24, columns / 5)
        glare = np.clip(sparkle - uniform(rng, 1.3, 2.4), 0, 0.8) * uniform(rng, 0.3, 0.8)
        photo += glare[:, :, None] * (0.95 - photo)
    # 7. The camera.
    sigma = (day.sharpness + uniform(rng, 0, 0.7)) * length / 300
    if sigma > 0.25:
        photo = cv2.GaussianBlur(photo, (0, 0), sigma)
    photo = (photo - 0.45) * (day.contrast * uniform(rng, 0.93, 1.07)) + 0.45
    photo *= 255 * day.exposure * uniform(rng, 0.93, 1.07)
    grain = rng.standard_normal((rows, columns), dtype=np.float32) * uniform(rng, 1, 5)
    image = np.clip(photo + grain[:, :, None], 0, 255).astype(np.uint8)
    if viewpoint == "left":
        return np.ascontiguousarray(np.rot90(image, 1))
    if viewpoint == "right":
        return np.ascontiguousarray(np.rot90(image, 1)[:, ::-1])
    return image


def _side_fins(
    body: Body,
    animal: np.ndarray,
    opacity: np.ndarray,
    u: np.ndarray,
    v: np.ndarray,
    length: float,
    day: SurveyDay,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Add the near flipper, and the flukes seen edge on."""
    tone = body.skin[:, SKIN_COLUMNS // 2].mean(axis=0) * (0.8 * (day.ambient + 0.4) / 255)
    lift = uniform(rng, -0.05, 0.05)
    for start, end, thick in (
        ((0.23, -0.045), (0.23 + body.flipper * 0.8, -0.06 - body.flipper * 0.5), 0.024),
        ((0.93, 0.004), (1.0, 0.004 + lift), 0.016),
    ):
        du, dv = end[0] - start[0], end[1] - start[1]
        along = np.clip(((u - start[0]) * du + (v - start[1]) * dv) / (du * du + dv * dv), 0, 1)
        away = np.hypot(u - start[0] - along * du, v - start[1] - along * dv)
        fin = np.clip((thick * (1 - 0.55 * along) - away) * length + 0.5, 0, 1)
        animal = animal + fin[:, :, None] * (tone.astype(np.float32) - animal)
        opacity = np.maximum(opacity, fin)
    return animal, opacity
