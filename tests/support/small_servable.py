"""A real exported model, so small that its answers are known: every user gets the same scores."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

import numpy as np

from components.export.saved_model import save_model
from components.export.servable import ServableCaser
from components.model.caser import Caser
from components.model.settings import ModelSettings
from components.transform.vocabulary import Vocabulary

ITEMS = [f"i{n}" for n in range(8)]
USERS = ["u0", "u1", "u2"]


def save(folder: Path, favourite: str | None = None, seed: int | None = None) -> str:
    """Writes the SavedModel: all scores equal, but for the favourite item's; with a seed, all weights are random."""
    shutil.copytree(_exported(favourite, seed), folder)
    return str(folder)


@functools.cache
def _exported(favourite: str | None, seed: int | None) -> Path:
    """The same model, exported once per process."""
    temporary = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, temporary, ignore_errors=True)
    folder, vocabularies = temporary / "model", []
    for name, tokens in (("items", ITEMS), ("users", USERS)):
        (temporary / name).write_text("".join(token + "\n" for token in tokens))
        vocabularies.append(Vocabulary(str(temporary / name), len(tokens)))
    settings = ModelSettings(d=2, horizontal_filters=1, vertical_filters=1, tied_embeddings=False)
    model = Caser(len(USERS), len(ITEMS), 3, settings)
    model((np.array([2]), np.zeros([1, 3], int)))
    model.output_embedding.assign(np.zeros(model.output_embedding.shape))
    model.output_bias.assign([float(item == favourite) for item in ITEMS])
    if seed is not None:
        rng = np.random.default_rng(seed)
        for weight in model.weights:
            weight.assign(rng.normal(size=weight.shape))
    save_model(ServableCaser(model, *vocabularies, k=5, loss="softmax"), str(folder))
    return folder
