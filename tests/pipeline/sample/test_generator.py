"""The built-in sample: deterministic, without repeats, and what its probabilities claim."""

import numpy as np
import pytest

from pipeline.sample import generator


@pytest.fixture(scope="module")
def generated():
    return generator.generate()


def test_sample_is_reproducible_with_the_same_seed(generated, tmp_path):
    generator.write_csv(generated, tmp_path / "a" / "1.csv")
    generator.write_csv(generator.generate(), tmp_path / "2.csv")
    generator.write_csv(generator.generate(seed=8), tmp_path / "3.csv")
    first, second, third = ((tmp_path / name).read_bytes() for name in ("a/1.csv", "2.csv", "3.csv"))
    assert first == second != third
    lines = first.decode().splitlines()
    assert lines[0] == "user_id,item_id,timestamp"
    assert len(lines) == 1 + sum(map(len, generated.histories))


def test_no_song_is_repeated(generated):
    assert all(len(set(songs.tolist())) == len(songs) for songs in generated.histories)


def test_probabilities_of_heard_songs_are_zero(generated):
    heard = np.array([[-1, 5, 6], [-1, -1, -1], [0, 1, 2]])
    probabilities = generated.probabilities(np.array([0, 1, 2]), heard)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert not probabilities[0, [5, 6]].any()


def test_probabilities_contain_the_planted_patterns(generated):
    before, last = 40, 100
    row = generated.probabilities(np.array([0]), np.array([[before, last]]))[0]
    assert row.argmax() == generated.sequels[before]
    genre = generated.next_genre[before // generator.SONGS_PER_GENRE, last // generator.SONGS_PER_GENRE]
    of_genre = row.reshape(generator.GENRES, -1).sum(axis=1)
    assert of_genre[genre] >= 0.45


def test_songs_follow_their_probabilities(generated):
    # If so, the mean probability of the drawn song equals the mean of the sums of squares, up to chance.
    users = np.arange(generator.USERS)
    heard = np.array([songs[:10] for songs in generated.histories])
    drawn = np.array([songs[10] for songs in generated.histories])
    probabilities = generated.probabilities(users, heard)
    expected = (probabilities**2).sum(axis=1).mean()
    assert probabilities[users, drawn].mean() == pytest.approx(expected, rel=0.1)


def test_song_names_are_reversible():
    assert [generator.song_of(generator.song_name(song)) for song in range(generator.SONGS)] == list(
        range(generator.SONGS)
    )
    assert generator.user_of(generator.user_name(2_999)) == 2_999
