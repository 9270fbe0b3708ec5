"""Draw docs/images/augmentation.png: each step of the training transforms on a rendered photo, alone and together."""

from __future__ import annotations

import random

import albumentations as A
import numpy as np
from style import IMAGES

from whalereid.images import TRAINING_TRANSFORMS
from whalereid.images.synthetic import Beluga, Encounter, SurveyDay
from whalereid.images.transforms import Transform
from whalereid.reporting import contact_sheet, write_image

SIZE = 512  # px, the winner's
DRAWS = {"shift, scale, rotate": 2, "shift, scale, rotate, shear": 2, "colour": 2, "holes": 2}  # others: one


def rendered() -> np.ndarray:
    """One beluga from above, in the proportions of the competition's photos."""
    rng = np.random.default_rng(4)
    met = Encounter.draw(SurveyDay.draw(rng), rng)
    return Beluga.draw(rng).photo("top", met, rng, height=520, width=220)


def drawn(transform: Transform, photo: np.ndarray, seed: int) -> np.ndarray:
    """What a transform makes of a photo with a given seed."""
    transform.set_random_state(np.random.default_rng(seed), random.Random(seed))
    return transform(image=photo)["image"]


def each(name: str, photo: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """Every step of a set by itself, made certain, in its order."""
    steps = TRAINING_TRANSFORMS[name].steps(SIZE)
    resized = A.Compose([steps[step] for step in ("shrink", "resize") if step in steps])(image=photo)["image"]
    shown = []
    for step, transform in steps.items():
        if step in ("shrink", "resize"):
            if step == "resize":
                shown.append((f"resize\nto {SIZE}x{SIZE}, always", resized))
            continue
        alone = transform.transforms if isinstance(transform, A.OneOf) else [transform]
        share = transform.p / len(alone)
        often = f"p = {share:g}" if len(alone) == 1 else f"p = {transform.p:g} / {len(alone)}"
        for part in alone:
            part.p = 1.0
            title = step if len(alone) == 1 else type(part).__name__
            before = photo if step == "white corner" else resized
            for seed in range(DRAWS.get(step, 1)):
                shown.append((f"{title}\n{often}", drawn(part, before, seed + 1)))
    return shown


def together(name: str, photo: np.ndarray, times: int) -> list[tuple[str, np.ndarray]]:
    """The whole set, drawn several times."""
    transform = A.Compose(list(TRAINING_TRANSFORMS[name].steps(SIZE).values()))
    return [(f"draw {seed + 1}", drawn(transform, photo, seed)) for seed in range(times)]


def main() -> None:
    photo = rendered()
    corner = TRAINING_TRANSFORMS["whaledo-corner"].steps(SIZE)["white corner"]
    corner.p = 1.0
    blocks = {
        "whaledo: the winner's steps, each alone": [("the photo", photo), *each("whaledo", photo)],
        "whaledo-corner: first a white corner, before resizing": [
            ("white corner\np = 0.5", drawn(corner, photo, 0)),
            *together("whaledo-corner", photo, 9),
        ],
        "whaledo: all together": together("whaledo", photo, 10),
        "strong: for new species, each alone": each("strong", photo),
        "strong: all together": together("strong", photo, 10),
    }
    cells = [(title, caption, picture) for title, block in blocks.items() for caption, picture in block]
    titles, captions, pictures = zip(*cells, strict=True)
    sheet = contact_sheet(pictures, captions, groups=titles, columns=10, cell=128)
    write_image(IMAGES / "augmentation.png", sheet, force=True)


if __name__ == "__main__":
    main()
