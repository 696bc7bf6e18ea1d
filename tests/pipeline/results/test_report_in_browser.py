"""The HTML report of a run in headless Chromium."""

import json
import shutil

import pytest

from components.evaluator.slices import SliceMetrics
from pipeline.config.config import Config
from pipeline.results.explorer import Explorer, ExplorerItem, ExplorerUser, ScoredItem
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


def explorer():
    """Two users and four items; three have similar and following ones."""

    def lists(served):
        return {"": served, "caser_": served[::-1], "sequential_rules_": ["brazil"]}

    users = [
        ExplorerUser("user-1", ["matrix", "alien"], ["solaris", "new"], lists(["brazil", "solaris"])),
        ExplorerUser("user-2", ["a-long-id-" * 9], [], lists(["alien"])),
    ]
    beside = {
        "matrix": ([("alien", 0.5)], [("solaris", 0.25), ("brazil", 0.5)]),
        "alien": ([("solaris", 0.9), ("matrix", 0.5)], [("solaris", 0.75)]),
        "solaris": ([("alien", 0.9)], []),
    }
    items = {
        item: ExplorerItem(item, rank, 1000 - rank, *([ScoredItem(*pair) for pair in pairs] for pairs in beside[item]))
        for rank, item in enumerate(beside, start=1)
    }
    items |= {item: ExplorerItem(item, rank, 9) for rank, item in ((1234, "brazil"), (1235, "a-long-id-" * 9))}
    return Explorer(users, items, 4000, 2.0)


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
        explorer=explorer(),
        titles={"alien": "Alien </script><b>(1979)", "solaris": "Solaris"},
    )
    write_report(summary, Config(), "interactions-of-a-shop-with-a-very-long-name.csv", folder / "report.html")
    write_metrics(summary, folder / "metrics.json")
    return folder


@pytest.fixture(params=WIDTHS, scope="module")
def browser(request):
    """Chromium at a width; phones are emulated."""
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
        yield driver
    finally:
        driver.quit()


@pytest.fixture
def page(browser, report):
    """The report, just opened."""
    browser.get((report / "report.html").as_uri())
    return browser


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


def listed(page, name):
    """Entries of a list in the explorer: the item, what is beside it, and whether it is a hit."""
    return page.execute_script(
        "return [...document.querySelectorAll(`[data-list='${arguments[0]}'] li`)].map(row =>"
        "[row.children[0].dataset.item, row.children[1].textContent, row.children[0].classList.contains('hit')])",
        name,
    )


def of_row(page, name):
    return page.execute_script(
        "return [...document.querySelectorAll(`[data-row='${arguments[0]}'] .item`)].map(item => item.textContent)",
        name,
    )


def fact(page, item):
    return page.find_element("css selector", f"[data-fact='{item}']").text


def type_into(page, name, text):
    field = page.find_element("id", f"explorer-{name}")
    field.clear()
    field.send_keys(text + "\n")


def test_explorer_shows_a_user_with_all_lists_and_marks_the_hits(page):
    assert of_row(page, "history") == ["matrix", "Alien </script><b>(1979)"]
    assert of_row(page, "held-out") == ["Solaris", "new"]
    assert listed(page, "served") == [["brazil", "", False], ["solaris", "", True]]
    assert listed(page, "Caser") == [["solaris", "", True], ["brazil", "", False]]
    assert listed(page, "sequential rules") == [["brazil", "", False]]


def test_explorer_goes_to_the_next_user_and_to_one_that_is_typed(page):
    page.find_element("id", "explorer-next").click()
    assert listed(page, "served") == [["alien", "", False]]
    page.find_element("id", "explorer-next").click()
    assert of_row(page, "held-out") == ["Solaris", "new"]
    page.find_element("id", "explorer-previous").click()
    assert listed(page, "served") == [["alien", "", False]]
    type_into(page, "user", "user-1")
    assert of_row(page, "held-out") == ["Solaris", "new"]
    type_into(page, "user", "stranger")
    assert page.find_element("id", "explorer-message").text == 'No user "stranger" in this report, which has 2 users.'
    width, visible = page.execute_script(
        "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert width <= visible


def test_item_that_is_clicked_has_its_popularity_and_what_is_beside_it(page):
    page.find_element("css selector", "[data-list='served'] [data-item='solaris']").click()
    assert "rank 3 of 4,000 by popularity, 997 interactions" in fact(page, "solaris")
    assert listed(page, "similar") == [["alien", "0.900", False]]
    assert listed(page, "following") == []
    page.find_element("css selector", "[data-list='similar'] [data-item='alien']").click()
    assert listed(page, "similar") == [["solaris", "0.900", False], ["matrix", "0.500", False]]
    page.find_element("css selector", "[data-list='served'] [data-item='brazil']").click()
    assert "similar items are in the report for more popular items only" in fact(page, "brazil")
    page.find_element("css selector", "[data-row='held-out'] [data-item='new']").click()
    assert "not in the train split" in fact(page, "new")


def test_items_that_are_typed_add_up_and_the_newest_counts_most(page):
    type_into(page, "item", "Alien </script><b>(1979) (alien)")
    type_into(page, "item", "matrix")
    # Similarity is the mean over both; rules of the item before the newest count 2 ** -2.
    assert listed(page, "similar") == [["solaris", "0.450", False]]
    assert listed(page, "following") == [["brazil", "0.500", False], ["solaris", "0.438", False]]
    page.find_element("css selector", "[data-fact='alien'] .remove").click()
    assert listed(page, "similar") == [["alien", "0.500", False]]
    type_into(page, "item", "nothing")
    assert page.find_element("id", "explorer-message").text == (
        'No item "nothing" in this report, which has 6 of 4,000 items.'
    )
    assert page.get_log("browser") == []
