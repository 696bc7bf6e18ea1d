"""Faults that `caser kubeflow emulate` plays."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from components.errors import UserError
from pipeline.kubeflow.emulator.faults import Metadata, faults_of

NODES = ["Transform", "CaserTrainer"]


@pytest.fixture
def metadata(tmp_path):
    return Metadata(None, tmp_path, Path(sys.executable))


def test_faults_are_sorted_by_node(metadata):
    faults = faults_of(["delete:Transform", "evict:CaserTrainer@2.5", "metadata-outage:Transform@1"], NODES, metadata)
    assert {node: [fault.seconds for fault in found] for node, found in faults.items()} == {
        "Transform": [10.0, 1.0],
        "CaserTrainer": [2.5],
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "explode:Transform",
            "should be KIND:NODE or KIND:NODE@SECONDS, with a kind of delete, evict, metadata-outage",
        ),
        ("delete:Transform@soon", "Received: delete:Transform@soon"),
        ("delete:Trainer", "unknown node. Did you mean `CaserTrainer`"),
    ],
)
def test_invalid_fault_is_one_message(metadata, text, message):
    with pytest.raises(UserError, match=message):
        faults_of([text], NODES, metadata)


def test_outage_of_a_service_elsewhere_is_refused(tmp_path):
    elsewhere = Metadata("host:8080", tmp_path, Path(sys.executable))
    with pytest.raises(UserError, match="leave --metadata out"):
        faults_of(["metadata-outage:Transform"], NODES, elsewhere)


def test_service_is_back_on_its_port_after_an_outage(metadata, monkeypatch):
    monkeypatch.setattr("pipeline.kubeflow.emulator.faults.OUTAGE_SECONDS", 0.1)
    metadata.start()
    try:
        before = metadata.address
        metadata.interrupt()
        assert metadata.address == before
    finally:
        metadata.stop()
