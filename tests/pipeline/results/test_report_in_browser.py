"""The HTML report of a run in headless Chromium."""

import json
import shutil

import pytest

from components.evaluator.slices import SliceMetrics
from pipeline.config.config import Config
from pipeline.results.html_report import write_report
from pipeline.results.metrics_json import write_metrics
from pipeline.results.summary import Example, RunSummary

WIDTHS = {"desktop": 1280, "phone": 400}
CUTOFFS = (1, 5, 10, 20)


def metrics(scale):
    names = [
        "map",
        "mrr",
        *(f"{name}_at_{k}" for name in ("precision", "recall", "ndcg", "hit_rate", "coverage") for k in CUTOFFS),
    ]
    return {name: scale / (3 + position) for position, name in enumerate(names)}


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A directory with the report of a run that has everything, long names included, and its `metrics.json`."""
    folder = tmp_path_factory.mktemp("report")
    summary = RunSummary(
        test=metrics(0.9),
        caser=metrics(0.7),
        popularity=metrics(0.1),
        sequential_rules=metrics(0.5),
        neighbours=metrics(0.4),
        rule_weight=1.5,
        intervals={"test": {name: (value - 0.01, value + 0.01) for name, value in metrics(0.9).items()}},
        ceiling=metrics(1.0),
        counts={
            "files": ["/data/" + "a-long-directory/" * 8 + "log.csv"] * 7,
            "users": 6040,
            "dropped": {"min_item_interactions": 3},
        },
        blessed=True,
        blessing_reason="map 0.3000, +0.2667 over popularity",
        pushed_version="1795000000",
        seconds={"InteractionExampleGen": 12.5, "CaserTrainer": 100.0},
        states={"InteractionExampleGen": "cached", "CaserTrainer": "done"},
        slices=[SliceMetrics("history length", "6 to 20", {"": {"map": 0.2}, "popularity_": {"map": 0.1}})],
        history=[
            {
                "epoch": n,
                "loss": 5.0 / n,
                "map": 0.1 + 0.02 * min(n, 7 - n),
                "objective": "full softmax",
                "peak_memory_gb": 1.0,
                "notes": [],
            }
            for n in range(1, 7)
        ],
        examples=[Example("user-1", [f"item-with-a-long-name-{n}" for n in range(6)], ["a", "b"], ["b"])],
    )
    write_report(summary, Config(), "interactions-of-a-shop-with-a-very-long-name.csv", folder / "report.html")
    write_metrics(summary, folder / "metrics.json")
    return folder


@pytest.fixture(params=WIDTHS)
def page(request, report):
    """The report in Chromium at a width; phones are emulated."""
    if not shutil.which("chromedriver"):
        pytest.skip("needs Chromium with ChromeDriver: make test-deps")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-sync",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    width = WIDTHS[request.param]
    if request.param == "phone":
        options.add_experimental_option(
            "mobileEmulation", {"deviceMetrics": {"width": width, "height": 800, "pixelRatio": 2}}
        )
    else:
        options.add_argument(f"--window-size={width},900")
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        driver.get((report / "report.html").as_uri())
        yield driver
    finally:
        driver.quit()


def test_report_logs_no_console_error(page):
    assert page.get_log("browser") == []


def test_report_does_not_scroll_horizontally(page):
    width, visible = page.execute_script(
        "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert width <= visible


def test_every_number_of_the_metrics_table_equals_metrics_json(page, report):
    content = json.loads((report / "metrics.json").read_text())
    cells = page.execute_script(
        "return [...document.querySelectorAll('[data-metric]')]"
        ".map(cell => [cell.dataset.column, cell.dataset.metric, cell.textContent])"
    )
    output = {(column, metric): text for column, metric, text in cells}
    expected = {
        (column, metric): f"{value:.4f}"
        for column in ("test", "caser", "sequential_rules", "neighbours", "popularity", "ceiling")
        for metric, value in content[column].items()
    }
    assert output == expected


def test_training_curves_mark_the_best_epoch(page):
    best = page.execute_script(
        "return [...document.querySelectorAll('circle[r=\"5\"] title')].map(title => title.textContent)"
    )
    assert [text.split(":")[0] for text in best] == ["epoch 3", "epoch 3"]


def test_legend_names_every_column(page):
    legend = page.execute_script("return [...document.querySelectorAll('.legend')[0].children].map(e => e.textContent)")
    assert legend == ["served", "Caser", "sequential rules", "neighbours", "popularity", "ceiling"]
