import numpy as np
import pytest
import tensorflow as tf

from components.features import FIRST_ID
from components.model.caser import Caser, HorizontalConvolution
from components.model.settings import ModelSettings

ACTIVATIONS = {
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "identity": lambda x: x,
}


def built(L=4, n_users=5, n_items=7, dtype=None, **settings):
    small = {"d": 3, "horizontal_filters": 2, "vertical_filters": 2}
    model = Caser(n_users, n_items, L, ModelSettings(**{**small, **settings}), dtype)
    model((np.array([FIRST_ID]), np.zeros([1, L], int)))
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(0, 0.7, weight.shape) for weight in model.get_weights()])
    return model


def filters_of(layer):
    """Height, kernel [h * d, filters] and bias [filters] in rising order of the heights."""
    n, kernels = layer.filters, []
    groups = tf.split(layer.rows.value, [n * h for h in layer.low], axis=1) if layer.low else []
    for h, group in zip(layer.low, groups, strict=True):
        kernels.append(tf.reshape(tf.transpose(tf.reshape(group, [-1, h, n]), [1, 0, 2]), [-1, n]))
    kernels += [kernel.value for kernel in layer.kernels]
    return list(zip(layer.heights, kernels, tf.split(layer.bias.value, len(kernels)), strict=True))


def by_hand(model, user, sequence, heights, convolution, dense):
    """Equations 3 to 10 of the paper, row by row."""
    items, users = (np.asarray(layer.embeddings) for layer in (model.item_embedding, model.user_embedding))
    if model.item_embedding.normalized:
        items = items / np.linalg.norm(items, axis=1, keepdims=True)
    scores = []
    for u, row in zip(user, sequence, strict=True):
        image = np.array([items[i] if i else np.zeros(items.shape[1]) for i in row])
        features = []
        for layer in model.convolutions:
            if hasattr(layer, "heights"):
                assert layer.heights == heights
                for h, kernel, bias in filters_of(layer):
                    slid = [image[i : i + h].ravel() @ kernel.numpy() + bias.numpy() for i in range(len(row) - h + 1)]
                    features.append(np.max(convolution(np.array(slid)), axis=0))
            else:
                features += [
                    np.asarray(k) @ image + b
                    for k, b in zip(np.asarray(layer.kernel), np.asarray(layer.bias), strict=True)
                ]
        kernel, bias = model.dense.get_weights()
        z = dense(np.concatenate(features) @ kernel + bias)
        if model.item_embedding.normalized:
            z *= np.exp(float(model.logit_scale)) / np.linalg.norm(z)
        outputs = np.asarray(model.output_embedding)
        if model.tied:
            outputs = np.concatenate([items[FIRST_ID:], outputs], axis=1)
        scores.append(outputs @ np.concatenate([z, users[u]]) + np.asarray(model.output_bias))
    return np.array(scores)


@pytest.mark.parametrize("convolution", ACTIVATIONS)
@pytest.mark.parametrize("dense", ["relu", "tanh"])
@pytest.mark.parametrize("heights", [None, [1, 3], [2], [3, 4]])
@pytest.mark.parametrize("tied", [False, True])
def test_scores_equal_the_equations_of_the_paper(convolution, dense, heights, tied):
    model = built(convolution_activation=convolution, dense_activation=dense, heights=heights, tied_embeddings=tied)
    rng = np.random.default_rng(2)
    user, sequence = rng.integers(1, 7, 6), rng.integers(FIRST_ID, 9, [6, 4])
    sequence[0, :3] = sequence[1, :1] = 0
    expected = by_hand(model, user, sequence, heights or [1, 2, 3, 4], ACTIVATIONS[convolution], ACTIVATIONS[dense])
    state = model((user, sequence))
    np.testing.assert_allclose(np.asarray(model.score_all(state)), expected, rtol=1e-4, atol=1e-5)
    some = np.array([[FIRST_ID, FIRST_ID + 6]] * 6)
    np.testing.assert_allclose(np.asarray(model.score_items(state, some)), expected[:, [0, 6]], rtol=1e-4, atol=1e-5)
    shared = np.asarray(model.score_shared_candidates(state, tf.constant([2, 8])))
    np.testing.assert_allclose(shared, expected[:, [0, 6]], rtol=1e-4, atol=1e-5)


def test_tables_of_a_new_model_have_different_values():
    model = Caser(5, 5, 4, ModelSettings(d=3, tied_embeddings=True))
    model.build_weights()
    items, users, outputs, _ = (np.asarray(table) for table in model.tables)
    assert not np.isclose(items, users).any()
    assert not np.isclose(items[FIRST_ID:], outputs).any()


@pytest.mark.parametrize("tied", [False, True])
def test_mixed_precision_multiplies_in_bfloat16_and_returns_float32(tied):
    exact, mixed = (built(dtype=dtype, tied_embeddings=tied) for dtype in ("float32", "mixed_bfloat16"))
    assert {weight.dtype for weight in mixed.weights} == {"float32"}
    inputs = np.array([2, 6]), np.array([[0, 2, 3, 8], [4, 5, 6, 7]])
    state = mixed(inputs)
    assert state.dtype == tf.float32
    # bfloat16 has 8 significant bits: the features differ, but by no more than some rounding.
    assert np.abs(state - exact(inputs)).max() > 1e-4
    np.testing.assert_allclose(state, exact(inputs), rtol=0.05, atol=0.05 * np.abs(state).max())

    # The embeddings of users are looked up, not rounded.
    np.testing.assert_array_equal(state[:, 3:], tf.gather(mixed.user_embedding.embeddings.value, inputs[0]))
    for scores in (mixed.score_all(state), mixed.score_shared_candidates(state, tf.range(FIRST_ID, 7 + FIRST_ID))):
        assert scores.dtype == tf.float32
        unrounded = exact.score_all(state)
        assert np.abs(scores - unrounded).max() > 1e-4
        np.testing.assert_allclose(scores, unrounded, rtol=0.05, atol=0.05 * np.abs(unrounded).max())


def test_horizontal_convolution_has_the_gradients_of_a_sliding_window():
    layer = HorizontalConvolution([1, 3, 4], 5, "relu")
    image = tf.Variable(np.random.default_rng(0).normal(size=[6, 4, 3]), dtype=tf.float32)
    layer(image)
    upstream = np.random.default_rng(1).normal(size=[6, 15]).astype(np.float32)

    def slid():
        features = []
        for h, kernel, bias in filters_of(layer):
            windows = tf.stack([tf.reshape(image[:, i : i + h], [6, h * 3]) for i in range(4 - h + 1)], axis=1)
            features.append(tf.reduce_max(tf.nn.relu(windows @ kernel + bias), axis=1))
        return tf.concat(features, axis=1)

    variables = [image, *(weight.value for weight in layer.trainable_variables)]
    gradients = []
    for features in (slid, lambda: layer(image)):
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(features() * upstream)
        gradients.append(tape.gradient(total, variables))
    for expected, actual in zip(*gradients, strict=True):
        np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("settings", [{"horizontal_filters": 0}, {"vertical_filters": 0}])
def test_model_works_with_one_kind_of_filter(settings):
    model = built(**settings)
    assert len(model.convolutions) == 1
    assert model.score_all(model((np.array([2]), np.array([[0, 2, 3, 4]])))).shape == (1, 7)


def test_filter_higher_than_the_image_is_rejected():
    with pytest.raises(ValueError, match=r"heights.*L=4.*heights=\[5\]"):
        built(heights=[5])


def test_normalized_scores_equal_their_formula():
    model = built(normalize=True, dense_activation="identity")
    user, sequence = np.array([2, 3, 6]), np.array([[0, 0, 0, 2], [0, 3, 4, 4], [8, 7, 6, 5]])
    expected = by_hand(model, user, sequence, [1, 2, 3, 4], ACTIVATIONS["relu"], ACTIVATIONS["identity"])

    def check():
        state = model((user, sequence))
        np.testing.assert_allclose(np.asarray(model.score_all(state)), expected, rtol=1e-4, atol=1e-5)
        some = np.array([[FIRST_ID, FIRST_ID + 6]] * 3)
        np.testing.assert_allclose(
            np.asarray(model.score_items(state, some)), expected[:, [0, 6]], rtol=1e-4, atol=1e-5
        )

    check()
    # As before the export.
    model.item_embedding.freeze()
    check()


def test_empty_sequence_has_finite_scores():
    model = built(normalize=True)
    assert np.isfinite(model.score_all(model((np.array([2]), np.zeros([1, 4], int))))).all()


def test_unset_settings_depend_on_the_length_of_histories():
    short, long = (ModelSettings().resolved(short_histories=short) for short in (True, False))
    assert (short.normalize, short.user_dropout, short.dense_activation) == (True, 0.95, "identity")
    assert (long.normalize, long.user_dropout, long.dense_activation) == (False, 0.5, "relu")
    configured = ModelSettings(normalize=False, dense_activation="tanh").resolved(short_histories=True)
    assert (configured.normalize, configured.dense_activation) == (False, "tanh")
    assert ModelSettings(tied_embeddings=False).resolved(short_histories=True).normalize is False


def test_normalized_embeddings_need_tied_ones():
    with pytest.raises(ValueError, match=r"model\.normalize.*model\.tied_embeddings"):
        ModelSettings(normalize=True, tied_embeddings=False)
