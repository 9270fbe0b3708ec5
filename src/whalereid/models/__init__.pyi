from .cards import KnownNetwork as KnownNetwork
from .cards import known_network as known_network
from .config import (
    IMAGE_SIDES as IMAGE_SIDES,
)
from .config import (
    look_at as look_at,
)
from .config import (
    read_config as read_config,
)
from .embedder import Embedder as Embedder
from .neck import ACTIVATIONS as ACTIVATIONS
from .neck import BatchNormNeck as BatchNormNeck
from .neck import LinearNeck as LinearNeck
from .neck import NoNeck as NoNeck
from .network import Network as Network
from .plan import Plan as Plan
from .pooling import AveragePooling as AveragePooling
from .pooling import ClassToken as ClassToken
from .pooling import GeM as GeM
from .pooling import MultiStageGeM as MultiStageGeM
from .pooling import NativePooling as NativePooling
from .preprocessing import Preprocessing as Preprocessing
from .saving import write_network as write_network
from .sources import look_for_backbone as look_for_backbone
from .sources import look_for_weights as look_for_weights
from .sources import read_source as read_source
from .weights import load_weights as load_weights
from .weights import read_weights as read_weights
from .weights_card import WeightsCard as WeightsCard
from .weights_card import words_on as words_on

__all__ = [
    "ACTIVATIONS",
    "AveragePooling",
    "BatchNormNeck",
    "ClassToken",
    "Embedder",
    "GeM",
    "IMAGE_SIDES",
    "KnownNetwork",
    "LinearNeck",
    "MultiStageGeM",
    "NativePooling",
    "Network",
    "NoNeck",
    "Plan",
    "Preprocessing",
    "WeightsCard",
    "known_network",
    "load_weights",
    "look_at",
    "look_for_backbone",
    "look_for_weights",
    "read_config",
    "read_source",
    "read_weights",
    "words_on",
    "write_network",
]
