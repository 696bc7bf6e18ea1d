"""Parquet files of many column types, with a plain model of what is in them."""

import decimal
import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import reject
from hypothesis import strategies as st

from tests.fuzz.interaction_files import COMPRESSIONS, HEADER, IDS, NUMBERS, TIMES, File, rows

_NUMBER_TYPES = [pa.int64(), pa.uint64(), pa.float64(), pa.decimal128(20, 2), pa.dictionary(pa.int32(), pa.int64())]
_TEXT_TYPES = [pa.string(), pa.large_string(), pa.binary(), pa.large_binary(), pa.dictionary(pa.int32(), pa.string())]
_TIME_TYPES = [
    pa.int64(),
    pa.float64(),
    pa.string(),
    *(pa.timestamp(unit) for unit in ("s", "ms", "us", "ns")),
    pa.timestamp("us", "Europe/Berlin"),
]


@st.composite
def parquet(draw: st.DrawFn) -> File:
    """Parquet with columns of many types; ids that are null or NaN are malformed."""
    as_numbers = draw(st.booleans())
    interactions = draw(rows(NUMBERS if as_numbers else IDS, min_size=1))
    kinds = [draw(st.sampled_from(_NUMBER_TYPES if as_numbers else _TEXT_TYPES)) for _ in range(2)]
    time = draw(st.sampled_from(_TIME_TYPES))
    missing = draw(st.sets(st.integers(0, len(interactions) - 1), max_size=2))
    users = [None if index in missing else row.user for index, row in enumerate(interactions)]
    seconds = [row.micros // 10**6 for row in interactions]
    table = pa.table(
        {
            "user_id": _column(users, kinds[0], as_numbers),
            "item_id": _column([row.item for row in interactions], kinds[1], as_numbers),
            "timestamp": _time_column(seconds, time),
        }
    )
    sink = io.BytesIO()
    pq.write_table(table, sink, row_group_size=draw(st.sampled_from([1, 3, 1000])))
    kept = [row for index, row in enumerate(interactions) if index not in missing]
    compression = draw(st.sampled_from([*COMPRESSIONS]))
    return File(COMPRESSIONS[compression](sink.getvalue()), {}, kept, len(missing))


_ANY_TYPES = st.sampled_from(
    [
        *(pa.int8(), pa.uint64(), pa.float16(), pa.float32(), pa.float64(), pa.bool_(), pa.null(), pa.string()),
        *(pa.binary(), pa.binary(2), pa.decimal128(30, 3), pa.date32(), pa.date64(), pa.time32("s"), pa.time64("ns")),
        *(pa.duration("s"), *(pa.timestamp(unit) for unit in ("s", "ms", "us", "ns")), pa.timestamp("ms", "UTC")),
        *(pa.list_(pa.int64()), pa.struct([("a", pa.int64())]), pa.map_(pa.string(), pa.int64())),
    ]
)
_LIMITS = st.sampled_from([0, 1, -1, 2**31 - 1, -(2**31), 2**53, 2**62, -(2**62), 2**63 - 1, -(2**63)])


@st.composite
def any_parquet(draw: st.DrawFn) -> bytes:
    """Parquet with columns of any type, and values at their limits."""
    size = draw(st.integers(0, 4))
    table = pa.table({name: _any_column(draw, size) for name in (*HEADER, "rating", "event")})
    sink = io.BytesIO()
    try:
        pq.write_table(table, sink)
    except (pa.ArrowException, OSError):  # a type that Parquet does not have
        reject()
    return sink.getvalue()


def _any_column(draw: st.DrawFn, rows: int) -> pa.Array:
    kind = draw(_ANY_TYPES)
    numbers = draw(st.lists(_LIMITS | st.none(), min_size=rows, max_size=rows))
    if pa.types.is_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return pa.array(
            [None if number is None else number.to_bytes(9, "big", signed=True)[-2:] for number in numbers], kind
        )
    if pa.types.is_nested(kind):
        value = {"list": [1], "struct": {"a": 1}}.get(str(kind).partition("<")[0], [("a", 1)])
        return pa.array([None if number is None else value for number in numbers], kind)
    if pa.types.is_null(kind):
        return pa.nulls(rows)
    if pa.types.is_float16(kind):
        return pa.array(np.array([(number or 0) % 1000 for number in numbers], np.float16))
    if pa.types.is_string(kind) or pa.types.is_boolean(kind) or pa.types.is_decimal(kind) or pa.types.is_floating(kind):
        values = [None if number is None else number % 1000 for number in numbers]
        return pa.array(values, pa.int64()).cast(kind, safe=False)
    bits = pa.int32() if kind.bit_width == 32 else pa.int64() if kind.bit_width == 64 else pa.int8()
    size = 2 ** (bits.bit_width - 1)
    fitting = [None if number is None else max(-size, min(size - 1, number)) for number in numbers]
    return pa.array(fitting, bits).view(kind)


def _column(values: list[str | None], kind: pa.DataType, as_numbers: bool) -> pa.Array:
    if pa.types.is_dictionary(kind):
        return _column(values, kind.value_type, as_numbers).dictionary_encode()
    if pa.types.is_decimal(kind):
        return pa.array([None if value is None else decimal.Decimal(f"{value}.00") for value in values], kind)
    if as_numbers:
        numbers = [None if value is None else int(value) for value in values]
        if pa.types.is_floating(kind):
            return pa.array([float("nan") if value is None else float(value) for value in numbers], kind)
        return pa.array(numbers, kind)
    return pa.array(values, pa.string()).cast(kind)


def _time_column(seconds: list[int], kind: pa.DataType) -> pa.Array:
    if pa.types.is_timestamp(kind):
        return pa.array(seconds, pa.int64()).cast(pa.timestamp("s")).cast(pa.timestamp(kind.unit)).cast(kind)
    if pa.types.is_string(kind):
        return pa.array([TIMES["iso"](second) for second in seconds])
    return pa.array(seconds, pa.int64()).cast(kind)
