"""The server's warm-up file: real requests of the golden rows, for both serving signatures."""

import pytest
import tensorflow as tf

from components.export.golden import read_golden
from components.export.signatures import SERVE_TF_EXAMPLE, SERVING
from components.export.warmup import BATCH_SIZES, WARMUP_FILE, read_warmup
from tests.support import small_servable


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return small_servable.save(tmp_path_factory.mktemp("model") / "model")


def test_warmup_file_has_a_valid_request_per_batch_size_and_signature(folder):
    signatures = tf.saved_model.load(folder).signatures
    golden = read_golden(folder)
    expected = [(size, signature) for size in BATCH_SIZES for signature in (SERVING, SERVE_TF_EXAMPLE)]
    for (size, signature), request in zip(expected, read_warmup(folder), strict=True):
        assert request.signature == signature
        inputs = {name: tf.constant(array) for name, array in request.inputs.items()}
        items = signatures[signature](**inputs)["item_ids"].numpy()
        assert len(items) == size
        for row in range(min(size, len(golden.requests.user_id))):
            assert [item.decode() for item in items[row]] == golden.predictions.item_ids[row]


def test_missing_warmup_file_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        list(read_warmup(str(tmp_path)))


@pytest.mark.parametrize("content", [b"cut", b"\1" * 40])
def test_damaged_warmup_file_is_one_clause(folder, tmp_path, content):
    (tmp_path / "assets.extra").mkdir()
    (tmp_path / WARMUP_FILE).write_bytes(content)
    with pytest.raises(ValueError, match="truncated or damaged"):
        list(read_warmup(str(tmp_path)))


def test_warmup_file_cut_in_its_last_record_is_one_clause(folder, tmp_path):
    (tmp_path / "assets.extra").mkdir()
    with open(f"{folder}/{WARMUP_FILE}", "rb") as whole:
        (tmp_path / WARMUP_FILE).write_bytes(whole.read()[:-10])
    with pytest.raises(ValueError, match="truncated or damaged"):
        list(read_warmup(str(tmp_path)))
