"""Promote and rollback: move a label in `models.config` and on running servers.

TF Serving replaces its whole list of models by each reload request and each time it reads the file again, and rejects
all of a configuration that moves a label to a version which is not yet AVAILABLE. So a label moves in three steps, each
written to the file first and then sent to the named servers with all other models of the file:

1. loading: the old labels, both versions loaded. Then wait until the version is AVAILABLE.
2. moved: the new labels, both versions loaded.
3. settled: the new labels, and only the versions that are needed.

A server that is not named reads the same steps from the file. If anything fails before all servers have accepted step
2, the former file is restored, and sent to the named servers (`rollout`).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence

from components.errors import UserError
from components.export.signatures import STABLE
from components.files import exclusive_lock
from components.pusher.models_config import (
    LabelMove,
    ModelsConfig,
    ServedModel,
    config_path,
    parse_policy,
    policy_text,
    read_config,
    specific,
    unlabelled_policy,
    version_before,
)
from components.pusher.version_dirs import version_folders, versions
from pipeline.deployment.rollout import Followers, Rollout


def promote(rollout: Rollout, version: int, label: str = STABLE) -> None:
    """Assigns a label to a version.

    Args:
        rollout: where and how.
        version: version to promote.
        label: label such as `stable` or `canary`.

    Raises:
        UserError: the version does not exist or a server fails; labels, file and servers are as before.
    """
    with _locked(rollout.model_dir):
        present = versions(rollout.model_dir)
        if version not in present:
            known = ", ".join(map(str, present)) or "none"
            what = "is incomplete" if version in version_folders(rollout.model_dir) else "does not exist"
            raise UserError(f"Version {version} {what} in {rollout.model_dir}. Complete versions: {known}.")
        former = _settled(read_config(config_path(rollout.model_dir)))
        served = former.served
        before = served.labels.get(label)
        if before == version:
            rollout.say(f"{label} is {version} already")
            return
        move = LabelMove(label, version, before, policy_text(unlabelled_policy(served)))
        target = served._replace(labels={**served.labels, label: version}, moves=(*served.moves, move))
        _move(rollout, former, _with_needed_versions(target, served, present), present)


def rollback(rollout: Rollout, label: str = STABLE) -> None:
    """Assigns a label to the version that it had before the last promotion, or removes it if it had none.

    If there are no labels yet, it is assigned to the version before the newest.

    Args:
        rollout: where and how.
        label: label to move back.

    Raises:
        UserError: there is no former version or a server fails; labels, file and servers are as before.
    """
    with _locked(rollout.model_dir):
        present = versions(rollout.model_dir)
        former = _settled(read_config(config_path(rollout.model_dir)))
        served = former.served
        if not served.labels:
            _move(rollout, former, _before_the_newest(rollout.model_dir, served, label, present), present)
            return
        if label not in served.labels:
            known = ", ".join(sorted(served.labels))
            raise UserError(f"There is no label `{label}` in {config_path(rollout.model_dir)}. Labels: {known}.")
        move = version_before(served, label)
        if move is None:
            raise UserError(
                f"It is not recorded where `{label}` pointed before. Versions: {', '.join(map(str, present))}. "
                f"Hint: caser promote VERSION --label {label} --model {rollout.model_dir}"
            )
        if move.before is not None and move.before not in present:
            raise UserError(
                f"Version {move.before}, to which `{label}` pointed before, is no longer in {rollout.model_dir}. "
                f"Versions: {', '.join(map(str, present))}. Hint: publish its model again with `caser push`."
            )
        labels = {**served.labels, label: move.before} if move.before is not None else dict(served.labels)
        if move.before is None:
            del labels[label]
        target = served._replace(labels=labels, moves=_without_last(served.moves, move))
        policy = parse_policy(move.policy)
        if labels:
            unlabelled = _loaded(ServedModel(policy=policy), present).intersection(present)
            policy = specific([*labels.values(), *unlabelled])
        target = target._replace(policy=policy)
        _move(rollout, former, target, present)


def _without_last(moves: Sequence[LabelMove], move: LabelMove) -> tuple[LabelMove, ...]:
    """The same label may have moved between the same versions more than once."""
    places = [place for place, other in enumerate(moves) if other == move]
    return tuple(other for place, other in enumerate(moves) if place not in places[-1:])


def _before_the_newest(model_dir: str, served: ServedModel, label: str, present: list[int]) -> ServedModel:
    if len(present) < 2:
        raise UserError(
            f"There is no version before the newest in {model_dir}. Hint: raise `pusher.keep`, or publish an older "
            "model again with `caser push`."
        )
    version = present[-2]
    move = LabelMove(label, version, None, policy_text(unlabelled_policy(served)))
    target = served._replace(labels={label: version}, moves=(*served.moves, move))
    # The newest version is what this is a rollback from.
    return target._replace(policy=specific([version]))


def _settled(config: ModelsConfig) -> ModelsConfig:
    """The configuration without the additional versions of a promotion that was killed."""
    served = config.served
    if served.settled is None:
        return config
    return config._replace(served=served._replace(policy=parse_policy(served.settled), settled=None))


def _with_needed_versions(target: ServedModel, former: ServedModel, present: Sequence[int]) -> ServedModel:
    """Loads the labelled versions, those that somebody listed without a label, and what answers without `stable`."""
    unlabelled = set(unlabelled_policy(former).specific.versions)
    original = parse_policy(former.moves[0].policy) if former.moves else former.policy
    if STABLE not in target.labels and not former.labels:
        # Requests without a label go on to be answered by the same version.
        unlabelled |= _loaded(former, present)
    elif STABLE in target.labels and STABLE not in former.labels and not original.HasField("specific"):
        unlabelled = set()
    return target._replace(policy=specific([*target.labels.values(), *unlabelled]))


def _loaded(served: ServedModel, present: Sequence[int]) -> set[int]:
    """The versions that servers load with a policy."""
    policy = served.policy
    if policy.HasField("specific"):
        return set(policy.specific.versions)
    if policy.HasField("all"):
        return set(present)
    return set(present[-max(policy.latest.num_versions, 1) :])


def _move(rollout: Rollout, former: ModelsConfig, target: ServedModel, present: Sequence[int]) -> None:
    """Moves labels in three steps; `target` is the state after the last one."""
    loaded, needed = _loaded(former.served, present), _loaded(target, present)
    changed = {version for label, version in target.labels.items() if former.served.labels.get(label) != version}
    awaited = changed or (needed if not target.labels else set())
    settled = policy_text(former.served.policy)
    loading = former.served._replace(policy=specific([*loaded, *needed]), settled=settled)
    moved = target._replace(policy=loading.policy, settled=policy_text(target.policy))
    # Labelled versions are loaded on every server already.
    is_new = bool(awaited - set(former.served.labels.values()))
    with Followers(rollout, former) as servers:
        with servers.restored_on_failure():
            servers.apply(loading)
            servers.wait(awaited, is_new)
            servers.apply(moved)
        servers.settle(target)
    rollout.say(_labels(target))


def _labels(served: ServedModel) -> str:
    labels = ", ".join(f"{label} is {version}" for label, version in sorted(served.labels.items()))
    return labels or "no labels; servers load the newest version"


@contextlib.contextmanager
def _locked(model_dir: str) -> Iterator[None]:
    if not os.path.isdir(model_dir):
        raise UserError(f"Directory {model_dir} does not exist. Hint: pass the directory of the versions.")
    path = f"{config_path(model_dir)}.lock"
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(exclusive_lock(path, wait=False))
        except BlockingIOError:
            raise UserError(f"Another promote or rollback of {model_dir} is running. Hint: wait for it.") from None
        except OSError as error:
            raise UserError(f"Cannot write {path}: {error.strerror}. Hint: check the permissions.") from None
        yield
