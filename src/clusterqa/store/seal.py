"""
The checksum of a row: everything that stands in it, by one number beside it.

It finds what disks, memory and slips of the hand do, not what somebody does who computes it anew. CRC-32 finds every fault of up
to 32 bits in a row for certain and misses one in four milliards of the rest; it takes a quarter of the time of the shortest BLAKE2.
"""

from __future__ import annotations

import json
import zlib

Value = str | bytes | int | float | None


def seal(*values: Value) -> int:
    """The checksum of values in their order: each with its kind and length, so that nothing moves from one to another unseen."""
    # ASCII: which letters Python would escape in another way differs from one version to the next.
    told = [[len(value)] if isinstance(value, bytes) else value for value in values]
    checksum = zlib.crc32(json.dumps(told).encode("ascii"))
    for value in values:
        if isinstance(value, bytes):
            checksum = zlib.crc32(value, checksum)
    return checksum
