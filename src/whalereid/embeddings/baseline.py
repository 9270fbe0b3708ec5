"""The baseline that any network should beat: the photo itself, shrunk."""

from __future__ import annotations

import cv2
import numpy as np

from whalereid.arguments import instance, sequence, whole_number
from whalereid.catalogue import Catalogue, TrainedOn
from whalereid.embeddings.table import Embeddings
from whalereid.images.cropping import Crop
from whalereid.images.photos import PhotoReader

__all__ = ["raw_pixels"]


def raw_pixels(
    photos: Catalogue, *, size: tuple[int, int] = (32, 16), portrait: bool = False, crop: Crop | None = None
) -> Embeddings:
    """Embed photos as their own colours, shrunk: what water, light and pose alone give away.

    Parameters
    ----------
    photos : Catalogue of N photos
        Their ``bbox`` or, where they have none, the bounds of their ``mask`` are cut out.
    size : (int, int), default=(32, 16)
        Height and width to shrink to, in pixels.
    portrait : bool, default=False
        Turn landscape photos 90° clockwise first.
    crop : Crop, optional
        How much to keep around the box, and of the background.

    Returns
    -------
    Embeddings
        (N, 3 * height * width), each value within [-0.5, 0.5].

    Raises
    ------
    WhalereidError
        A photo can't be read; names the file. Or an argument is of the wrong kind.
    """
    instance(photos, "photos", Catalogue, "a Catalogue (Catalogue.read(path) makes one)")
    wanted = "height and width in pixels, such as (32, 16)"
    height, width = (whole_number(side, "size", 1) for side in sequence(size, "size", 2, wanted))
    instance(portrait, "portrait", bool, "True or False")
    crop = Crop.of(crop)
    crop.check(photos)
    reader = PhotoReader(photos, crop, portrait)
    vectors = np.empty((len(photos), 3 * height * width), np.float32)
    for row in range(len(photos)):
        small = cv2.resize(reader.read(row), (width, height), interpolation=cv2.INTER_AREA)
        vectors[row] = small.reshape(-1) / np.float32(255) - np.float32(0.5)
    provenance = {"network": "raw pixels", "size": [height, width], "portrait": portrait} | crop.noted()
    return Embeddings(photos.image_ids, vectors, provenance | {"trained_on": TrainedOn().to_dict()})
