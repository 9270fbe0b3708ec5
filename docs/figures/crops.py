"""Draw docs/images/crops.png: one photo of two rendered belugas, cut to one of them in every way."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from style import IMAGES

from whalereid.files import replacing
from whalereid.images import Crop, read_photo
from whalereid.images.synthetic import Beluga, Encounter, SurveyDay
from whalereid.reporting import contact_sheet, write_image

HEIGHT, WIDTH, APART = 420, 450, 120  # px: of the photo, and of the second animal from its middle
CUTS = {
    "the box": Crop(),
    "--pad 0.2": Crop(pad=0.2),
    "--pad 0.2\n--background blur": Crop(0.2, "blur"),
    "--pad 0.2\n--background grey": Crop(0.2, "grey"),
}


def rendered() -> tuple[np.ndarray, np.ndarray]:
    """Two belugas from above, side by side, and the mask of the right one."""
    rng = np.random.default_rng(11)
    met = Encounter.draw(SurveyDay.draw(rng), rng)
    photos = []
    for seed in (5, 6):
        # The same photo near the surface and deep down: only the animal differs.
        near, deep = (
            Beluga.draw(np.random.default_rng(seed)).photo(
                "top", replace(met, depth=depth), np.random.default_rng(seed), height=HEIGHT, width=WIDTH
            )
            for depth in (0.1, 0.6)
        )
        photos.append((near, np.abs(near.astype(int) - deep.astype(int)).max(axis=2) > 12))
    left, (right, mask) = photos[0][0], (np.roll(one, APART, axis=1) for one in photos[1])
    mask = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((7, 7)))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    mask = (labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())).astype(np.uint8)
    veil = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 1.5)[..., None]
    return (left + veil * (right.astype(np.float32) - left)).astype(np.uint8), mask


def main() -> None:
    photo, mask = rendered()
    box = tuple(map(float, cv2.boundingRect(mask)))
    with replacing(IMAGES / "crops.png") as beside:  # read as any photo is
        path = beside.with_suffix(".photo.png")
        try:
            cv2.imwrite(str(path), photo[..., ::-1])
            pictures = [read_photo(path, box, mask=mask, crop=crop) for crop in CUTS.values()]
        finally:
            path.unlink(missing_ok=True)
        sheet = contact_sheet([photo, *pictures], ["the photo", *CUTS], columns=5, cell=(300, 250))
        write_image(beside, sheet, force=True)


if __name__ == "__main__":
    main()
