"""Rendered belugas: animals whose marks are known to be the same from every side, for demos, tests and benchmarks.

An animal is a body (lengthwise profiles seen from above and from the side) wrapped in one skin, an image over
(length, angle around the body). A photo looks that skin up through the body's surface, so a scar high on the left flank
shows from above and from the left, foreshortened in each, and never from the right. What the animal does not own is
drawn anew: the day (water, light, sharpness), the encounter (depth, posture) and the photo (pose, scale, crop, ripples,
glare, noise).
"""

from whalereid.images.synthetic.animal import Beluga
from whalereid.images.synthetic.dataset import render_dataset
from whalereid.images.synthetic.scene import Encounter, SurveyDay

__all__ = ["Beluga", "Encounter", "SurveyDay", "render_dataset"]
