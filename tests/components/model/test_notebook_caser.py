import numpy as np
import pytest

from components.model.caser import Caser

COLUMNS = [
    {"feat": "user_id", "feat_num": 100, "embed_dim": 8},
    {"feat": "item_id", "feat_num": 100, "embed_dim": 8},
]


def by_hand(model, user, sequence, item, height):
    """The formulas of `components.model.notebook_caser` in numpy, row by row."""
    weights = {
        layer.name: [np.asarray(weight) for weight in layer.get_weights()] for layer in model.layers if layer.weights
    }
    (item_table,), (user_table,), (output_table,) = (
        weights[name] for name in ("item_embedding", "user_embedding", "output_embedding")
    )
    probabilities = []
    for u, items, candidate in zip(user[:, 0], sequence, item[:, 0], strict=True):
        image = np.array([item_table[i] if i else np.zeros(item_table.shape[1]) for i in items])
        kernel, bias = weights["horizontal_convolution"]
        windows = [image[start : start + height] for start in range(len(items) - height + 1)]
        o = np.max([np.einsum("hd,hdn->n", window, kernel) + bias for window in windows], axis=0)
        kernel, bias = weights["vertical_convolution"]
        v = (image.T @ kernel[0] + bias).ravel()
        kernel, bias = weights["dense"]
        z = np.maximum(np.concatenate([o, v]) @ kernel + bias, 0)
        score = np.concatenate([z, user_table[u]]) @ output_table[candidate]
        probabilities.append([1 / (1 + np.exp(-score))])
    return np.array(probabilities)


def test_notebook_caser_has_the_weights_of_the_notebook():
    model = Caser.from_feature_columns(COLUMNS)
    assert model.count_params() == 4194
    assert {layer.name: layer.count_params() for layer in model.layers if layer.weights} == {
        "horizontal_convolution": 130,
        "vertical_convolution": 328,
        "dense": 536,
        "user_embedding": 800,
        "item_embedding": 800,
        "output_embedding": 1600,
    }
    lines = []
    model.summary(print_fn=lines.append)
    assert "4,194" in "\n".join(lines)


@pytest.mark.parametrize(("maxlen", "hor_h", "padded"), [(40, 8, 0), (40, 8, 13), (5, 8, 2), (5, 1, 5)])
def test_notebook_caser_equals_its_formulas(maxlen, hor_h, padded):
    rng = np.random.default_rng(0)
    model = Caser.from_feature_columns(COLUMNS, maxlen=maxlen, hor_h=hor_h)
    model.set_weights([rng.normal(0, 0.5, weight.shape) for weight in model.get_weights()])
    user, item = rng.integers(0, 100, [6, 1]), rng.integers(0, 100, [6, 1])
    sequence = rng.integers(1, 100, [6, maxlen])
    sequence[:, :padded] = 0
    actual = np.asarray(model((user, sequence, item)))
    assert actual.shape == (6, 1)
    np.testing.assert_allclose(actual, by_hand(model, user, sequence, item, min(hor_h, maxlen)), rtol=1e-4)


def test_notebook_caser_predicts_the_same_after_reloading(tmp_path):
    import keras

    model = Caser.from_feature_columns(COLUMNS, maxlen=6)
    model.save(tmp_path / "model.keras")
    inputs = (np.array([[3]]), np.array([[0, 0, 1, 2, 3, 4]]), np.array([[9]]))
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(np.asarray(loaded(inputs)), np.asarray(model(inputs)))


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        (COLUMNS[:1], {}, "item_id"),
        ([COLUMNS[0], {**COLUMNS[1], "embed_dim": 9}], {}, "embed_dim"),
        (COLUMNS, {"maxlen": 0}, "maxlen"),
    ],
)
def test_notebook_caser_rejects_invalid_arguments(columns, options, message):
    with pytest.raises(ValueError, match=message):
        Caser.from_feature_columns(columns, **options)
