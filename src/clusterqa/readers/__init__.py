"""
Question and passage read together: whether a passage answers, which of its sentences does, and in how few words.

`Reader` stands on the encoder's states, so each text is encoded once; `features` tells it what the search thinks.
"""

from clusterqa.readers.features import Features, features
from clusterqa.readers.reader import Read, Reader, bundled_reader

__all__ = ["Features", "Read", "Reader", "bundled_reader", "features"]
