"""clusterqa answers questions in Lithuanian and English by quoting documents."""

__version__ = "0.1.0"
