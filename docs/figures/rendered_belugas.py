"""Draw docs/images/rendered_belugas.png: a few animals, each from above, from the left and from the right."""

from __future__ import annotations

import numpy as np
from PIL import Image
from style import IMAGES

from whalereid.images.synthetic import Beluga, Encounter, SurveyDay
from whalereid.reporting import contact_sheet

ANIMALS, ENCOUNTERS = 4, 4
TOP, LATERAL = (204, 78), (91, 280)  # cells, height and width in px; two lateral rows are as high as one of tops
COLOURS = 192  # of the picture's palette: it keeps the file small


def photos_of(number: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """One animal in several encounters: photos from above, and lateral ones, left and right in turn."""
    rng = np.random.default_rng((5, number))
    animal = Beluga.draw(rng)
    tops, laterals = [], []
    for _ in range(ENCOUNTERS):
        met = Encounter.draw(SurveyDay.draw(rng), rng)
        tops.append(animal.photo("top", met, rng, height=300, width=112))
        side = "right" if len(laterals) % 2 else "left"
        laterals.append(animal.photo(side, met, rng, height=130, width=400))
    return tops, laterals


def main() -> None:
    """Draw the sheet."""
    names, tops, laterals = [], [], []
    for number in range(ANIMALS):
        above, sides = photos_of(number)
        names += [f"whale {number + 1}"] * ENCOUNTERS
        tops += above
        laterals += sides
    met = [f"top, {1 + n % ENCOUNTERS}" for n in range(len(tops))]
    seen = [f"{('left', 'right')[n % 2]}, {1 + n % ENCOUNTERS}" for n in range(len(laterals))]
    left = contact_sheet(tops, met, groups=names, columns=ENCOUNTERS, cell=TOP)
    right = contact_sheet(laterals, seen, groups=[f"{name}, its flanks" for name in names], columns=2, cell=LATERAL)
    sheet = Image.fromarray(np.hstack([left, right])).quantize(COLOURS, dither=Image.Dither.NONE)
    sheet.save(IMAGES / "rendered_belugas.png", optimize=True)


if __name__ == "__main__":
    main()
