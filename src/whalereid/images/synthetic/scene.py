"""What the animal does not own: the day and the encounter."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from whalereid.images.synthetic.draws import uniform

__all__ = ["Encounter", "SurveyDay"]


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
        water = water * uniform(rng, 0.7, 1.35) + rng.standard_normal(3) * 0.025
        angle = uniform(rng, 0, 2 * math.pi)
        tilt = uniform(rng, 0.1, 0.6)
        return cls(
            water=np.clip(water, 0.04, 0.7).astype(np.float32),
            light=(tilt * math.cos(angle), tilt * math.sin(angle)),
            ambient=uniform(rng, 0.45, 0.75),
            exposure=uniform(rng, 0.8, 1.15),
            contrast=uniform(rng, 0.85, 1.15),
            ripple=uniform(rng, 0.02, 0.08),
            sharpness=uniform(rng, 0.2, 1.0),
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
            depth=uniform(rng, 0.04, 0.18),
            pitch=uniform(rng, -0.08, 0.12),
            bend=uniform(rng, -0.035, 0.035),
            roll=uniform(rng, -0.12, 0.12),
        )
