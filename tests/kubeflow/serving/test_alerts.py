"""Each alert against metrics text as a server gives it: silent on the healthy one, firing on each failure."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ALERTS = Path(__file__).resolve().parents[3] / "kubeflow" / "serving" / "components" / "alerts" / "alerts.yaml"
# As of TF Serving 2.16; each number is the increase per minute.
HEALTHY = """
:tensorflow:serving:request_count{model_name="caser",status="OK"} 6000
:tensorflow:serving:request_count{model_name="ranker",status="INVALID_ARGUMENT"} 6000
:tensorflow:serving:request_latency_bucket{model_name="caser",API="predict",entrypoint="REST",le="10000"} 3000
:tensorflow:serving:request_latency_bucket{model_name="caser",API="predict",entrypoint="REST",le="100000"} 3000
:tensorflow:serving:request_latency_bucket{model_name="caser",API="predict",entrypoint="REST",le="+Inf"} 3000
:tensorflow:serving:request_latency_bucket{model_name="caser",API="Predict",entrypoint="GRPC",le="10000"} 3000
:tensorflow:serving:request_latency_bucket{model_name="caser",API="Predict",entrypoint="GRPC",le="100000"} 3000
:tensorflow:serving:request_latency_bucket{model_name="caser",API="Predict",entrypoint="GRPC",le="+Inf"} 3000
:tensorflow:cc:saved_model:load_attempt_count{model_path="/models/caser/1",status="success"} 0
:tensorflow:serving:model_warmup_latency_count{model_path="/models/caser/1",status="OK"} 0
"""
SLOW_REST = HEALTHY.replace('entrypoint="REST",le="10000"} 3000', 'entrypoint="REST",le="10000"} 0')
SLOW_GRPC = HEALTHY.replace('entrypoint="GRPC",le="10000"} 3000', 'entrypoint="GRPC",le="10000"} 0')
FAILING = HEALTHY + ':tensorflow:serving:request_count{model_name="caser",status="UNAVAILABLE"} 60\n'
LOAD = ':tensorflow:cc:saved_model:load_attempt_count{model_path="/models/caser/2",status="fail"}'
WARMUP = (
    ':tensorflow:serving:model_warmup_latency_count{model_path="/models/caser/2",'
    'status="DATA_LOSS: truncated record at 100"}'
)
CASES = {
    "healthy": (HEALTHY, set()),
    "failing requests": (FAILING, {"CaserRequestsFail"}),
    "slow REST": (SLOW_REST, {"CaserRequestsSlow"}),
    "slow gRPC": (SLOW_GRPC, {"CaserRequestsSlow"}),
    "failing loads": (f"{HEALTHY}{LOAD} 4\n", {"CaserVersionFailsToLoad"}),
    "one failed load": (f"{HEALTHY}{LOAD} new\n", {"CaserVersionFailsToLoad"}),
    "failing warm-up": (f"{HEALTHY}{WARMUP} 4\n", {"CaserVersionFailsToWarmUp"}),
    "one failed warm-up": (f"{HEALTHY}{WARMUP} new\n", {"CaserVersionFailsToWarmUp"}),
}
MINUTES = 25


@pytest.fixture(scope="module")
def rules():
    return yaml.safe_load(ALERTS.read_text())["spec"]


def series(text):
    """promtool's input: counters that grow each minute; "new" appears after a while and stays at 1."""
    for line in text.strip().splitlines():
        name, _, value = line.rpartition(" ")
        values = f"{'_ ' * (MINUTES - 3)}1x5" if value == "new" else f"0+{value}x{MINUTES}"
        yield {"series": name, "values": values}


@pytest.mark.parametrize("case", CASES)
def test_alerts_fire_for_their_failure_alone(rules, case, tmp_path):
    if not shutil.which("promtool"):
        pytest.skip("needs promtool: make test-deps")
    text, expected = CASES[case]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rules))
    alerts = [rule["alert"] for group in rules["groups"] for rule in group["rules"]]
    tests = {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": list(series(text)),
                "promql_expr_test": [
                    {
                        "expr": f'count(ALERTS{{alertname="{alert}",alertstate="firing"}}) or vector(0)',
                        "eval_time": f"{MINUTES - 1}m",
                        "exp_samples": [{"value": int(alert in expected)}],
                    }
                    for alert in alerts
                ],
            }
        ],
    }
    (tmp_path / "tests.yaml").write_text(yaml.safe_dump(tests))
    done = subprocess.run(
        ["promtool", "test", "rules", "tests.yaml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_case(rules):
    named = {alert for _, alerts in CASES.values() for alert in alerts}
    assert named == {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    assert all(re.match(r"\w.*\.$", rule["annotations"]["summary"]) for g in rules["groups"] for rule in g["rules"])
