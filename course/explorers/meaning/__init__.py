"""The meaning map: word vectors of a real model in a plane, layer by layer, and from a point of view of our choice.

Each point is one occurrence of a word in a sentence. The kernel runs the model once and sends where every point lies
in two planes of every layer; the browser moves between them. The functions here compute the same in Python, so that
the cell below the map can print its numbers.
"""

from course.explorers.meaning.explorer import MeaningExplorer
from course.explorers.meaning.groups import (
    Direction,
    LayerNumbers,
    Parted,
    dealt_groups,
    group_cosines,
    layer_numbers,
    mean_direction,
    on_right_side,
    part,
    used_half,
)
from course.explorers.meaning.planes import (
    blended_plane,
    coordinates,
    kept_share,
    principal_planes,
    rotation_onto,
    separating_plane,
)
from course.explorers.meaning.words import MOST_TOKENS, WordVectors, find_word, word_vectors

__all__ = [
    "MOST_TOKENS",
    "Direction",
    "LayerNumbers",
    "MeaningExplorer",
    "Parted",
    "WordVectors",
    "blended_plane",
    "coordinates",
    "dealt_groups",
    "find_word",
    "group_cosines",
    "kept_share",
    "layer_numbers",
    "mean_direction",
    "on_right_side",
    "part",
    "principal_planes",
    "rotation_onto",
    "separating_plane",
    "used_half",
    "word_vectors",
]
