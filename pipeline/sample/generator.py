"""Generator of the built-in sample: listeners and songs with planted sequential patterns.

The next song of a user follows one of three patterns of the Caser paper (section 1), drawn at every step:

* union-level: the genres of the last two songs together decide the next genre;
* point-level with a skip: every song has a sequel, heard two songs later;
* general preference: each user has two favourite genres.

No song is repeated. The true probability of every next song is known, and so is the best possible ranking.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from components.files import write_text

USERS, GENRES, SONGS_PER_GENRE = 3_000, 10, 30
SONGS = GENRES * SONGS_PER_GENRE
SEED = 7
HEADER = "user_id,item_id,timestamp"
_GENRES = ("ambient", "blues", "disco", "folk", "jazz", "metal", "opera", "punk", "reggae", "soul")
_SHORTEST, _LONGEST = 15, 45
_UNION, _POINT, _PREFERENCE = 0.5, 0.3, 0.2
_LAG = 2  # a sequel comes this many songs after its song
_FIRST_TIME, _PAUSE = 1_700_000_000, 240  # unix seconds; seconds between two songs


class Sample(NamedTuple):
    """Generated listeners and their patterns.

    Attributes:
        histories: songs heard by each user, oldest first; int [n] each.
        favourites: int [USERS, 2], the two favourite genres of each user.
        next_genre: int [GENRES, GENRES], the genre that follows two genres.
        sequels: int [SONGS], the sequel of each song.
    """

    histories: list[np.ndarray]
    favourites: np.ndarray
    next_genre: np.ndarray
    sequels: np.ndarray

    def probabilities(self, users: np.ndarray, heard: np.ndarray) -> np.ndarray:
        """The true probability of every next song.

        Args:
            users: int [B].
            heard: int [B, n], oldest first, padded with -1 on the left.

        Returns:
            float [B, SONGS]; each row adds up to 1, and a song that was heard has probability 0.
        """
        rows = np.arange(len(users))
        popularity = np.tile(_popularity(), (len(users), 1))
        genre_of_song = np.arange(SONGS) // SONGS_PER_GENRE
        preference = popularity * (genre_of_song == self.favourites[users][:, :, None]).any(axis=1)
        total = _PREFERENCE * _normalize(preference)

        padded = np.pad(heard, [(0, 0), (_LAG, 0)], constant_values=-1)
        last, before = padded[:, -1], padded[:, -2]
        known = (last >= 0) & (before >= 0)
        genre = self.next_genre[before // SONGS_PER_GENRE, last // SONGS_PER_GENRE]
        total += _UNION * known[:, None] * _normalize(popularity * (genre_of_song == genre[:, None]))

        song = padded[:, -_LAG]
        total[rows, self.sequels[song]] += _POINT * (song >= 0)

        row, column = np.nonzero(heard >= 0)
        total[row, heard[row, column]] = 0
        return _normalize(total)


def generate(seed: int = SEED) -> Sample:
    """Generates the sample.

    Args:
        seed: random seed.

    Returns:
        USERS histories of 15 to 45 songs.
    """
    rng = np.random.default_rng(seed)
    favourites = np.array([rng.permutation(GENRES)[:2] for _ in range(USERS)])
    # The last two genres together decide: each supports every genre, and the one with the most support comes next.
    support = rng.normal(size=(2, GENRES, GENRES))
    next_genre = (support[0][:, None] + support[1][None, :]).argmax(axis=2)
    sample = Sample([], favourites, next_genre, rng.permutation(SONGS))

    users = np.arange(USERS)
    heard = np.empty((USERS, 0), dtype=int)
    for _ in range(_LONGEST):
        cumulated = sample.probabilities(users, heard).cumsum(axis=1)
        song = (cumulated < rng.random((USERS, 1)) * cumulated[:, -1:]).sum(axis=1)
        heard = np.concatenate([heard, song[:, None]], axis=1)
    lengths = rng.integers(_SHORTEST, _LONGEST + 1, USERS)
    return sample._replace(histories=[songs[:n] for songs, n in zip(heard, lengths, strict=True)])


def write_csv(sample: Sample, file: Path) -> None:
    """Writes one row per song heard, sorted by time.

    Args:
        sample: the sample.
        file: output file; not rewritten if its content is the same. Its directory is created if missing.
    """
    rows = [
        (_FIRST_TIME + 7 * user + _PAUSE * position, f"{user_name(user)},{song_name(song)}")
        for user, songs in enumerate(sample.histories)
        for position, song in enumerate(songs)
    ]
    file.parent.mkdir(parents=True, exist_ok=True)
    text = "\n".join([HEADER, *(f"{names},{time}" for time, names in sorted(rows))]) + "\n"
    # An unchanged file keeps its modification time, so that a second run is cached.
    if not file.is_file() or file.read_bytes() != text.encode():
        write_text(file, text)


def user_name(user: int) -> str:
    """The id of a user in the file, such as `listener-0007`."""
    return f"listener-{user:04}"


def song_name(song: int) -> str:
    """The id of a song in the file, such as `jazz-03`; in each genre, 01 is the most popular."""
    return f"{_GENRES[song // SONGS_PER_GENRE]}-{song % SONGS_PER_GENRE + 1:02}"


def user_of(name: str) -> int:
    """The inverse of `user_name`."""
    return int(name.rsplit("-", 1)[1])


def song_of(name: str) -> int:
    """The inverse of `song_name`."""
    genre, number = name.rsplit("-", 1)
    return _GENRES.index(genre) * SONGS_PER_GENRE + int(number) - 1


def _popularity() -> np.ndarray:
    """Float [SONGS]: Zipf's law within each genre."""
    return np.tile(1.0 / np.arange(1, SONGS_PER_GENRE + 1), GENRES)


def _normalize(weights: np.ndarray) -> np.ndarray:
    totals = weights.sum(axis=1, keepdims=True)
    return np.divide(weights, totals, out=np.zeros_like(weights), where=totals > 0)
