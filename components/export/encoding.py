"""Encodes users as `tf.train.Example`, the input of the signature `serve_tf_example`.

A server that batches concurrent requests pads lists of different width with items, or refuses them; an Example is one
string per user, so requests of any widths can share a batch. Written by hand, because importing TensorFlow for its
message classes would cost a REST client seconds and half a gigabyte.
"""

from __future__ import annotations

from collections.abc import Sequence

from components.export.signatures import PredictRequests
from components.features import CANDIDATE_ITEM_IDS, EXCLUDE_ITEM_IDS, ITEM_IDS, USER_ID

_LENGTH_DELIMITED = 2
# Lengths below 128 are one byte.
_SHORT = [bytes((length,)) for length in range(128)]


def encoded_examples(requests: PredictRequests, candidates: Sequence[list[str]] | None = None) -> list[bytes]:
    """Serialized `tf.train.Example`s, one per user.

    Args:
        requests: the users; padding is dropped.
        candidates: for each user, the only items that may be recommended, all items if empty; None: all for everybody.
    """
    every = [[item for item in among if item] for among in candidates or [[]] * len(requests.user_id)]
    return [
        _field(
            1,
            # A feature without a value is an error, one that is missing is not.
            (_feature(USER_ID, [user]) if user else b"")
            + _feature(ITEM_IDS, recent)
            + _feature(EXCLUDE_ITEM_IDS, exclude)
            + (_feature(CANDIDATE_ITEM_IDS, among) if among else b""),
        )
        for user, recent, exclude, among in zip(*requests, every, strict=True)
    ]


def _feature(name: str, values: list[str]) -> bytes:
    """An entry of the map `Features.feature`: the key, and a `Feature` with a `BytesList`."""
    encoded = [value.encode() for value in values if value]
    # The same as `_field(1, value)`, without a call per item.
    parts = [b"\n" + (_SHORT[len(value)] if len(value) < 128 else _varint(len(value))) + value for value in encoded]
    bytes_list = b"".join(parts)
    return _field(1, _field(1, name.encode()) + _field(2, _field(1, bytes_list)))


def _field(number: int, payload: bytes) -> bytes:
    return bytes((number << 3 | _LENGTH_DELIMITED,)) + _varint(len(payload)) + payload


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
