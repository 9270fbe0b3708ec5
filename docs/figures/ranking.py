"""Draw docs/images/ranking.png: queries of the demo and the photos ranked best for each. Run `make demo` first."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from style import IMAGES

import whalereid as wr
from whalereid.reporting.sheets import write_image

ROOT = Path(__file__).resolve().parents[2]
RIGHT, WRONG, INK = (47, 158, 98), (200, 80, 60), (34, 49, 63)
HEIGHT, WIDTH, GAP, FRAME = 190, 92, 10, 4


def tile(photos: wr.Catalogue, image_id: str, colour: tuple[int, int, int] | None) -> np.ndarray:
    """One photo on a card of (HEIGHT, WIDTH), framed in a colour."""
    pixels = wr.read_photo(photos.subset([image_id]).paths[0], portrait=True)
    card = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    room = (WIDTH - 2 * FRAME, HEIGHT - 2 * FRAME)
    card[FRAME:-FRAME, FRAME:-FRAME] = cv2.resize(pixels, room, interpolation=cv2.INTER_AREA)
    if colour is not None:
        cv2.rectangle(card, (1, 1), (WIDTH - 2, HEIGHT - 2), colour, 3)
    return card


def draw(demo: Path, rows: int = 3, columns: int = 8) -> np.ndarray:
    """(H, W, 3) uint8: one query a row, from three scenarios, its best photos to the right of it."""
    photos = wr.Catalogue.read(demo / "belugas")
    ranking = wr.Ranking.read(demo / "submission.csv")
    who = dict(zip(photos.image_ids, photos.column("identity"), strict=True))
    image_of = {q: i for s in photos.scenarios for q, i in zip(s.query_ids, s.query_images, strict=True)}
    chosen: list[int] = []
    for scenario in photos.scenarios[:rows]:
        of_it = [n for n, q in enumerate(ranking.query_ids) if q in set(scenario.query_ids)]
        hits = [sum(who[d] == who[image_of[ranking.query_ids[n]]] for d in ranking.ids[n][:columns]) for n in of_it]
        chosen.append(of_it[int(np.argsort(hits, kind="stable")[int(0.75 * len(hits))])])  # a good one, not the best
    page = np.full((rows * (HEIGHT + GAP) + 34, (columns + 1) * (WIDTH + GAP) + 36, 3), 255, np.uint8)
    cv2.putText(page, "query", (14, 24), cv2.FONT_HERSHEY_DUPLEX, 0.6, INK, 1, cv2.LINE_AA)
    words = "best matches of the database, animals the networks never saw"
    cv2.putText(page, words, (WIDTH + 44, 24), cv2.FONT_HERSHEY_DUPLEX, 0.6, INK, 1, cv2.LINE_AA)
    for line, n in enumerate(chosen):
        query = image_of[ranking.query_ids[n]]
        top = 34 + line * (HEIGHT + GAP)
        page[top : top + HEIGHT, 8 : 8 + WIDTH] = tile(photos, query, INK)
        for column, found in enumerate(ranking.ids[n][:columns]):
            left = WIDTH + 40 + column * (WIDTH + GAP)
            colour = RIGHT if who[found] == who[query] else WRONG
            page[top : top + HEIGHT, left : left + WIDTH] = tile(photos, found, colour)
    return page


if __name__ == "__main__":
    if not (ROOT / "demo" / "submission.csv").exists():
        sys.exit("docs/figures/ranking.py: no demo/submission.csv; run `make demo` first.")
    write_image(IMAGES / "ranking.png", draw(ROOT / "demo"), force=True)
