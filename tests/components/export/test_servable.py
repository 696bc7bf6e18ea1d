"""What the exported graph guarantees for any request."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from components.example_gen.raw_examples import serialize_example
from components.export.encoding import encoded_examples
from components.export.saved_model import save_model
from components.export.servable import Rules, ServableCaser
from components.export.signatures import CASER, PARTS, POPULARITY, RANKS, SEQUENTIAL_RULES, TOP_ITEMS, PredictRequests
from components.features import FIRST_ID
from components.model.caser import Caser
from components.model.settings import ModelSettings
from components.ranking.metrics import MISS
from components.ranking.recommendable import UNSEEN, Recommendable
from components.sequential_rules.scorer import FLOOR, RuleScorer
from components.sequential_rules.tables import RuleTables
from components.transform.vocabulary import Vocabulary

ITEMS = [f"i{n}" for n in range(12)]
USERS = ["ann", "bob"]
L, K = 3, 8
LOWEST = np.finfo(np.float32).min

item = st.sampled_from([*ITEMS, "", "what", "🚫"])
rows = st.tuples(
    st.sampled_from([*USERS, "", "stranger"]), st.lists(item, max_size=9), st.lists(st.sampled_from(ITEMS), max_size=14)
)


# After i0: i5 three times as strongly as i6; after i1: i6. Five recent items count, more than Caser's window has.
TABLES = RuleTables(
    np.array([0, 2, 3, *[3] * 10]), np.array([5, 6, 6], np.int32), np.array([3, 1, 2], np.float32), 5, 1.0
)
WEIGHT = 1.5


def evidence_by_hand(history):
    scores = np.zeros(len(ITEMS))
    for back, item in enumerate(reversed([item for item in history if item in ITEMS][-5:]), start=1):
        for follower, weight in {"i0": {5: 3, 6: 1}, "i1": {6: 2}}.get(item, {}).items():
            scores[follower] += weight / back
    return np.log1p(scores / max(scores.sum(), 1e-9) / FLOOR)


def export(folder, output_bias=None, rules=None, recommendable=UNSEEN):
    """A model with random weights; returns its `serving_default`."""
    for name, tokens in (("items", ITEMS), ("users", USERS)):
        (folder / name).write_text("".join(token + "\n" for token in tokens))
    keras.utils.set_random_seed(1)
    model = Caser(len(USERS), len(ITEMS), L, ModelSettings(d=4))
    model((np.array([2]), np.zeros([1, L], int)))
    for weight in model.weights:
        weight.assign(np.random.default_rng(2).normal(size=weight.shape))
    if output_bias is not None:
        model.output_bias.assign(output_bias)
    vocabularies = (
        Vocabulary(str(folder / name), len(tokens)) for name, tokens in (("items", ITEMS), ("users", USERS))
    )
    servable = ServableCaser(model, *vocabularies, k=K, loss="softmax", rules=rules, recommendable=recommendable)
    save_model(servable, str(folder / "model"))
    return tf.saved_model.load(str(folder / "model"))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return export(tmp_path_factory.mktemp("sound"))


@pytest.fixture(scope="module")
def broken_model(tmp_path_factory):
    """Its scores are not all numbers: training never leaves such a model, but a server would have to answer."""
    strange = [np.nan, np.inf, -np.inf, 3e38, -3e38]
    return export(tmp_path_factory.mktemp("broken"), strange + [0.0] * (len(ITEMS) - len(strange)))


def padded(lists, side="right"):
    """Each list begins with "", as in `components.export.padding`, unless there is only one."""
    width = max(map(len, lists))
    begin = [""] if len(lists) > 1 else []
    fill = [[""] * (width - len(texts)) for texts in lists]
    full = [
        [*begin, *texts, *rest] if side == "right" else [*begin, *rest, *texts]
        for texts, rest in zip(lists, fill, strict=True)
    ]
    return tf.constant(full, tf.string, shape=(len(lists), len(begin) + width))


def ask(model, batch, side="right"):
    users, histories, excluded = zip(*batch, strict=True)
    answer = model.signatures["serving_default"](
        user_id=tf.constant(users), recent_item_ids=padded(histories, side), exclude_item_ids=padded(excluded)
    )
    return answer["item_ids"].numpy().astype(str).tolist(), answer["scores"].numpy()


@pytest.fixture(scope="module")
def repeating(tmp_path_factory):
    """The same weights in a model that recommends seen items, too."""
    return export(tmp_path_factory.mktemp("repeating"), recommendable=Recommendable(exclude_seen=False))


@pytest.fixture(scope="module")
def hybrid(tmp_path_factory):
    """The same weights with sequential rules."""
    return export(tmp_path_factory.mktemp("hybrid"), rules=Rules(RuleScorer(TABLES), WEIGHT))


@pytest.mark.parametrize("which", ["model", "hybrid", "broken_model"])
def test_recommendations_keep_their_contract_for_any_request(which, request):
    model = request.getfixturevalue(which)

    @settings(max_examples=40, deadline=None)
    @given(st.lists(rows, min_size=1, max_size=4))
    def check(batch):
        items, scores = ask(model, batch)
        assert np.isfinite(scores).all()
        assert (scores[:, :-1] >= scores[:, 1:]).all()
        for (_, history, excluded), answer in zip(batch, items, strict=True):
            given_items = [item for item in answer if item]
            assert len(set(given_items)) == len(given_items)
            assert not set(given_items) & {*history, *excluded}
            # All that is left, as far as there is room, and nothing behind a gap.
            assert len(given_items) == min(K, len({*ITEMS} - {*history, *excluded}))
            assert answer == given_items + [""] * (K - len(given_items))

    check()


def ask_among(model, batch):
    """Answers of `recommend_among`, and of `serve_tf_example` with candidates."""
    users, histories, candidates = zip(*batch, strict=True)
    requests = PredictRequests(list(users), [list(history) for history in histories], [[] for _ in users])
    inputs = {"user_id": tf.constant(users), "recent_item_ids": padded(histories)}
    answers = [
        model.signatures["recommend_among"](**inputs, candidate_item_ids=padded(candidates)),
        model.signatures["serve_tf_example"](examples=tf.constant(encoded_examples(requests, list(candidates)))),
    ]
    return [
        [[item for item in row if item] for row in answer["item_ids"].numpy().astype(str).tolist()]
        for answer in answers
    ]


@pytest.mark.parametrize("which", ["model", "hybrid", "broken_model"])
def test_recommendations_among_candidates_are_the_best_of_them(which, request):
    model = request.getfixturevalue(which)
    candidates = st.lists(item, min_size=1, max_size=9).filter(any)

    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.tuples(rows, candidates), min_size=1, max_size=4))
    def check(batch):
        batch = [(user, history, among) for (user, history, _), among in batch]
        everything, _ = ask(model, [(user, history, []) for user, history, _ in batch])
        for answers in ask_among(model, batch):
            for (_, history, among), answer, best in zip(batch, answers, everything, strict=True):
                wanted = {*among} & {*ITEMS} - {*history}
                assert {*answer} == wanted if len(wanted) <= K else len(answer) == K
                # In the order in which they are recommended among all.
                assert [item for item in best if item in wanted] == [item for item in answer if item in best]

    check()


def test_row_without_candidates_gets_all_items_from_an_example_and_none_from_the_signature(model):
    by_signature, by_example = ask_among(model, [("ann", ["i0"], []), ("bob", ["i1"], ["i5"])])
    assert (by_signature[0], by_signature[1]) == ([], ["i5"])
    assert by_example[1] == ["i5"]
    assert by_example[0] == [item for item in ask(model, [("ann", ["i0"], [])])[0][0] if item]


def test_unknown_candidates_alone_give_no_recommendations(model):
    assert ask_among(model, [("ann", ["i0"], ["what"])]) == [[[]], [[]]]


def test_seen_items_are_recommended_by_their_score_where_they_may_be(model, repeating):
    history = ["i0", "i1", "i2"]
    every = model.signatures["score"](
        user_id=tf.constant(["ann"]), recent_item_ids=tf.constant([history]), candidate_item_ids=tf.constant([ITEMS])
    )["probabilities"].numpy()[0]
    by_score = [ITEMS[column] for column in np.argsort(-every)]
    ((seen, _), (unseen, _)) = (ask(one, [("ann", history, ["i5"])]) for one in (repeating, model))
    assert [item for item in seen[0] if item] == [item for item in by_score if item != "i5"][:K]
    assert [item for item in unseen[0] if item] == [item for item in by_score if item not in [*history, "i5"]][:K]


def test_evaluation_ranks_seen_items_where_they_may_be_recommended(model, repeating):
    example = serialize_example(b"ann", [b"i0", b"i1", b"i2"], [b"i1", b"i7"])
    ranks = [
        one.signatures["evaluate"](examples=tf.constant([example]))[RANKS].numpy()[0] for one in (repeating, model)
    ]
    assert 1 <= ranks[0][0] <= len(ITEMS)
    assert ranks[1][0] == MISS
    assert ranks[0][1] >= ranks[1][1]


@pytest.mark.parametrize("which", ["model", "hybrid"])
def test_row_of_a_batch_equals_a_single_request(which, request):
    model = request.getfixturevalue(which)

    @settings(max_examples=40, deadline=None)
    @given(st.lists(rows, min_size=2, max_size=4), st.sampled_from(["left", "right"]))
    def check(batch, side):
        items, scores = ask(model, batch, side)
        for row, answer, values in zip(batch, items, scores, strict=True):
            (alone,), (own,) = ask(model, [row])
            np.testing.assert_allclose(values, own, rtol=1e-4, atol=1e-5)
            assert answer == alone

    check()


@pytest.mark.parametrize("width", [0, 1, L - 1, L, L + 1, 5 * L])
def test_history_of_any_width_is_accepted(model, width):
    history = [ITEMS[n % 4] for n in range(width)]
    (items,), (scores,) = ask(model, [("ann", history, ITEMS[:4])])
    (expected,), (expected_scores,) = ask(model, [("ann", history[-L:], ITEMS[:4])])
    assert items == expected
    np.testing.assert_allclose(scores, expected_scores, rtol=1e-5)


def test_unknown_items_do_not_displace_known_ones_from_the_window(model):
    assert (
        ask(model, [("ann", ["i1", "what", "i2", "", "what", "i3"], [])])[0]
        == ask(model, [("ann", ["i1", "i2", "i3"], [])])[0]
    )


def test_user_who_has_seen_everything_gets_no_items(model):
    (items,), (scores,) = ask(model, [("ann", ITEMS, [])])
    assert items == [""] * K
    assert (scores == LOWEST).all()


HISTORIES = [["i0"], ["i1", "i0"], ["i0", "i1"], ["i0", "i3", "what", "i1"], ["i4"], ["i0", "i7", "i8", "i9"]]


def test_served_score_is_log_linear_in_both_parts(model, hybrid):
    for history in HISTORIES:
        (items,), (scores,) = ask(hybrid, [("ann", history, [])])
        alone = dict(zip(*(part[0] for part in ask_for_all(model, history)), strict=True))
        evidence = evidence_by_hand(history)
        expected = {item: alone[item] + WEIGHT * evidence[ITEMS.index(item)] for item in ITEMS if item not in history}
        best = sorted(expected, key=lambda item: -expected[item])[:K]
        assert [item for item in items if item] == best
        np.testing.assert_allclose(scores[: len(best)], [expected[item] for item in best], rtol=1e-4)


def ask_for_all(model, history):
    """Scores of all unseen items, from requests that exclude what is known already."""
    items, scores = ask(model, [("ann", history, [])])
    known = [item for item in items[0] if item]
    more, more_scores = ask(model, [("ann", history, known)])
    rest = [item for item in more[0] if item]
    return [known + rest], [[*scores[0][: len(known)], *more_scores[0][: len(rest)]]]


def test_probabilities_are_those_of_the_served_scores(model, hybrid):
    for history in HISTORIES:
        arguments = {
            "user_id": tf.constant(["bob"]),
            "recent_item_ids": tf.constant([history]),
            "candidate_item_ids": tf.constant([ITEMS]),
        }
        caser, actual = (
            each.signatures["score"](**arguments)["probabilities"].numpy()[0].astype(np.float64)
            for each in (model, hybrid)
        )
        expected = caser * np.exp(WEIGHT * evidence_by_hand(history))
        np.testing.assert_allclose(actual, expected / expected.sum(), rtol=1e-3, atol=1e-30)


def test_evaluation_has_ranks_of_each_part(model, hybrid):
    examples = tf.constant(
        [serialize_example(b"ann", [item.encode() for item in history], [b"i6", b"i2"]) for history in HISTORIES]
    )
    alone, both = (each.signatures["evaluate"](examples=examples) for each in (model, hybrid))
    for output in (RANKS, TOP_ITEMS):
        # Without rules, what is served is Caser.
        np.testing.assert_array_equal(alone[output], alone[CASER + output])
        assert alone[SEQUENTIAL_RULES + output].shape[1] == 0
        for part in (CASER, POPULARITY):
            np.testing.assert_array_equal(both[part + output], alone[part + output])
    for row, history in enumerate(HISTORIES):
        served = [item for item in ask(hybrid, [("ann", history, [])])[0][0] if item]
        for item, rank in zip(["i6", "i2"], both[RANKS][row].numpy(), strict=True):
            assert rank == served.index(item) + 1 if item in served else rank > K
        order = sorted(set(range(len(ITEMS))) - {int(item[1:]) for item in history if item in ITEMS})
        order.sort(key=lambda column: -evidence_by_hand(history)[column])
        assert both[SEQUENTIAL_RULES + RANKS][row].numpy().tolist() == [order.index(6) + 1, order.index(2) + 1]
    assert {part + output for part in PARTS for output in (RANKS, TOP_ITEMS)} <= both.keys()


def merged(*tasks):
    """The rows of several requests, padded as TF Serving pads them: with the first value of each request."""
    width = max(len(row) for task in tasks for row in task)
    return [[*row, *[task[0][0]] * (width - len(row))] for task in tasks for row in task]


@pytest.mark.parametrize("which", ["recent", "exclude"])
@pytest.mark.parametrize(
    "tasks",
    [
        ([["i1", "i2"]], [["i3", "i4", "i5", "i6"]]),
        ([["i1"]], [["i3", "i4"]]),
        ([["i1", "i2"], ["i3", "i4"]], [["i5", "i6", "i7"]]),
    ],
)
def test_lists_that_a_server_padded_with_items_are_refused(model, which, tasks):
    rows = merged(*tasks)
    lists = {"recent": [[""]] * len(rows), "exclude": [[""]] * len(rows), which: rows}
    with pytest.raises(tf.errors.InvalidArgumentError, match="begins and ends with the same item"):
        model.signatures["serving_default"](
            user_id=tf.constant(["ann"] * len(rows)),
            recent_item_ids=tf.constant(lists["recent"]),
            exclude_item_ids=tf.constant(lists["exclude"]),
        )


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.lists(item, max_size=5), min_size=1, max_size=2), min_size=2, max_size=4))
def test_merged_lists_are_right_or_refused(model, histories):
    tasks = []
    for task in histories:
        width = max(1, *map(len, task))
        tasks.append([[*row, *[""] * (width - len(row))] for row in task])
    rows = merged(*tasks)
    users = tf.constant(["ann"] * len(rows))
    try:
        actual = model.signatures["serving_default"](
            user_id=users, recent_item_ids=tf.constant(rows), exclude_item_ids=tf.constant([[""]] * len(rows))
        )
    except tf.errors.InvalidArgumentError:
        assert any(row[0] for task in tasks for row in task)  # lists that begin with "" are never to blame
        return
    expected, _ = ask(model, [("ann", row, []) for task in histories for row in task])
    assert actual["item_ids"].numpy().astype(str).tolist() == expected


def test_only_user_may_have_a_history_that_ends_as_it_begins(model):
    (plain,), _ = ask(model, [("ann", ["i1", "i2", "i1"], [])])
    (expected,), _ = ask(model, [("ann", ["", "i1", "i2", "i1"], [])])
    assert plain == expected


def test_merged_histories_that_become_equal_are_refused(model):
    # Requests for `i1` and for `i1 i1`.
    with pytest.raises(tf.errors.InvalidArgumentError, match="begins and ends with the same item"):
        model.signatures["serving_default"](
            user_id=tf.constant(["ann", "ann"]),
            recent_item_ids=tf.constant(merged([["i1"]], [["i1", "i1"]])),
            exclude_item_ids=tf.constant([[""]] * 2),
        )


def test_examples_with_exclusions_equal_columns(model):
    batch = [("ann", ["i1", "i2"], ["i3"]), ("stranger", [], ["i0", "i5"]), ("bob", ["i4", "i1", "i4"], [])]
    expected, scores = ask(model, batch)
    requests = PredictRequests(*(list(part) for part in zip(*batch, strict=True)))
    answer = model.signatures["serve_tf_example"](examples=tf.constant(encoded_examples(requests)))
    assert answer["item_ids"].numpy().astype(str).tolist() == expected
    np.testing.assert_allclose(answer["scores"].numpy(), scores, rtol=1e-5)


BLOCKED = [f"i{n}" for n in (0, 3, 5, 6)]


@pytest.fixture(scope="module")
def blocking(tmp_path_factory):
    """The same weights and rules with a blocklist."""
    ids = np.array([ITEMS.index(item) for item in BLOCKED]) + FIRST_ID
    rules = Rules(RuleScorer(TABLES), WEIGHT)
    return export(tmp_path_factory.mktemp("blocking"), rules=rules, recommendable=Recommendable(blocked=ids))


@settings(max_examples=30, deadline=None)
@given(st.lists(rows, min_size=1, max_size=3))
def test_blocked_items_are_excluded_from_every_request(blocking, hybrid, batch):
    items, scores = ask(blocking, batch)
    expected_items, expected_scores = ask(hybrid, [(user, history, [*out, *BLOCKED]) for user, history, out in batch])
    assert items == expected_items
    np.testing.assert_allclose(scores, expected_scores, rtol=1e-5)


def test_blocked_items_are_no_candidates_either(blocking):
    among = blocking.signatures["recommend_among"](
        user_id=tf.constant(["u0"]), recent_item_ids=tf.constant([["", "i1"]]),
        candidate_item_ids=tf.constant([["", "i0", "i2", "i5", "i4"]]),
    )  # fmt: skip
    assert set(among["item_ids"].numpy().astype(str)[0]) == {"i2", "i4", ""}


def test_blocked_held_out_items_are_misses_and_others_rank_without_them(blocking, hybrid):
    example = serialize_example(b"u0", [b"i1"], [b"i0", b"i2", b"i4"])
    answers = {}
    for name, model in (("blocking", blocking), ("hybrid", hybrid)):
        answers[name] = model.signatures["evaluate"](examples=tf.constant([example]))
    for part in PARTS:
        ranks, top = (answers["blocking"][part + output].numpy()[0] for output in (RANKS, TOP_ITEMS))
        plain, every = (answers["hybrid"][part + output].numpy()[0] for output in (RANKS, TOP_ITEMS))
        ids = {ITEMS.index(item) + FIRST_ID for item in BLOCKED}
        left = [item for item in every.tolist() if item >= FIRST_ID and item not in ids]
        assert [item for item in top.tolist() if item >= FIRST_ID] == left
        assert ranks[0] == MISS
        for rank, item in zip(ranks[1:], ("i2", "i4"), strict=True):
            assert rank == left.index(ITEMS.index(item) + FIRST_ID) + 1
        assert plain[0] != MISS
