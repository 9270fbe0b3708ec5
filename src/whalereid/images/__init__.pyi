from .classes import class_names as class_names
from .cropping import Crop as Crop
from .datasets import PhotoDataset as PhotoDataset
from .framing import Framing as Framing
from .items import collate as collate
from .pairs import CrossViewPairs as CrossViewPairs
from .photos import MIN_SIDE as MIN_SIDE
from .photos import read_photo as read_photo
from .transforms import (
    IMAGENET_MEAN as IMAGENET_MEAN,
)
from .transforms import (
    IMAGENET_STD as IMAGENET_STD,
)
from .transforms import (
    TRAINING_TRANSFORMS as TRAINING_TRANSFORMS,
)
from .transforms import (
    TrainingTransform as TrainingTransform,
)
from .transforms import (
    evaluation_transform as evaluation_transform,
)

__all__ = [
    "Crop",
    "CrossViewPairs",
    "Framing",
    "IMAGENET_MEAN",
    "IMAGENET_STD",
    "MIN_SIDE",
    "PhotoDataset",
    "TRAINING_TRANSFORMS",
    "TrainingTransform",
    "class_names",
    "collate",
    "evaluation_transform",
    "read_photo",
]
