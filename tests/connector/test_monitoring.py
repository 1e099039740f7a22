"""The dashboard, the alerts and their page name what there is, and nothing else."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trio
import yaml
from prometheus_client.parser import text_string_to_metric_families

from connector.metrics import PREFIX
from tests.conftest import ROOT
from tests.connector.connected import open_connected
from tests.connector.promql import read

DOCS = ROOT / "docs"
OF_PROMETHEUS = {"job", "instance"}
"""The labels that Prometheus adds itself."""

Names = dict[str, set[str]]


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> Names:
    """Every sample of a scrape after a conversation, with the labels that it has."""
    text = trio.run(_scrape, tmp_path_factory.mktemp("state"))
    names: Names = defaultdict(set)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            names[sample.name] |= set(sample.labels)
    return names


async def _scrape(state_dir: Path) -> str:
    async with open_connected(state_dir) as connected:
        conversation = await connected.conversation()
        sent = [
            connected.world.genesys.agent_reply(conversation, text, public=True)
            for text in ("Yes", "!dance")
        ]
        for one in sent:
            await connected.concluded(one)
        await connected.until("BlueskySender", lambda actor: bool(actor["skipped"]))
        return (await connected.http.get(f"{connected.url}/metrics")).text


def list_rules() -> list[dict[str, Any]]:
    """Every alert."""
    document = yaml.safe_load((DOCS / "alerts.yml").read_text("utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


def list_panels() -> list[dict[str, Any]]:
    """Every panel of the dashboard."""
    panels: list[dict[str, Any]] = json.loads((DOCS / "grafana.json").read_text("utf-8"))["panels"]
    return panels


def list_expressions() -> Iterator[tuple[str, str]]:
    """What each alert and each panel asks Prometheus, with what it is called."""
    for rule in list_rules():
        yield rule["alert"], rule["expr"]
    for panel in list_panels():
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


def test_every_expression_asks_for_metrics_and_labels_that_exist(scraped: Names) -> None:
    """A renamed metric would make an alert that never fires and a panel that stays empty."""
    for title, expression in list_expressions():
        asked = read(expression)
        assert asked.metrics, title
        of_these: set[str] = set()
        for metric, labels in asked.metrics.items():
            assert metric in scraped, f"{title}: there is no {metric}"
            assert labels <= scraped[metric] | OF_PROMETHEUS, f"{title}: {labels} of {metric}"
            of_these |= scraped[metric]
        assert asked.grouping <= of_these | OF_PROMETHEUS, f"{title}: {asked.grouping}"


def test_the_page_explains_every_metric_and_every_alert(scraped: Names) -> None:
    """Each has a line, with its labels, and none is explained that is not there."""
    page = (DOCS / "monitoring.md").read_text("utf-8")
    explained: Names = {}
    table = page.partition("### Every metric")[2].partition("\n### ")[0]
    for line in table.splitlines():
        if line.startswith("| `"):
            names, labels = (re.findall(r"`(\w+)`", cell) for cell in line.split("|")[1:3])
            explained.update({name: set(labels) for name in names})
    own = {name.removeprefix(PREFIX) for name in scraped if name.startswith(PREFIX)}
    plain = {re.sub(r"_(bucket|count|sum)$", "", name) for name in own}
    assert plain == explained.keys()
    for name in plain:
        sample = PREFIX + name if name in own else f"{PREFIX}{name}_count"
        assert explained[name] == scraped[sample], name
    assert re.findall(r"^\| `(BlueskyGenesys\w+)`", page, re.MULTILINE) == [
        rule["alert"] for rule in list_rules()
    ]


def test_every_alert_says_what_happens_and_what_to_do() -> None:
    """Who is woken by it knows how bad it is, what it means, and the remedy."""
    for rule in list_rules():
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert set(rule["annotations"]) == {"summary", "description", "remedy"}
        assert all(text.endswith(".") for text in rule["annotations"].values()), rule["alert"]


def test_the_dashboard_can_be_imported_anywhere() -> None:
    """Its data source is chosen when it is opened, and no two panels lie on each other."""
    document = json.loads((DOCS / "grafana.json").read_text("utf-8"))
    variables = {one["name"]: one for one in document["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    taken: set[tuple[int, int]] = set()
    for panel in list_panels():
        assert panel["datasource"]["uid"] == "${datasource}"
        assert panel["description"]
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
    assert len({panel["id"] for panel in list_panels()}) == len(list_panels())


def test_an_expression_is_taken_apart_as_it_is_meant() -> None:
    """What the other tests stand on."""
    asked = read('sum by (le) (rate(a_total{x="y{z}", job=~"j"}[5m])) / on (k) b > inf or c_d')
    assert asked.metrics == {"a_total": {"x", "job"}, "b": set(), "c_d": set()}
    assert asked.grouping == {"le", "k"}


@pytest.fixture
def promtool() -> str:
    """Prometheus' own tool, where it is installed."""
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("no promtool on the PATH")
    return found


def test_promtool_takes_every_expression(promtool: str, tmp_path: Path) -> None:
    """The alerts as they are, and what the panels ask as if it were rules."""
    panels = [
        {"record": f"panel_{number}", "expr": _fill_in(target["expr"])}
        for number, target in enumerate(
            target for panel in list_panels() for target in panel["targets"]
        )
    ]
    rules = tmp_path / "panels.yml"
    rules.write_text(json.dumps({"groups": [{"name": "panels", "rules": panels}]}), "utf-8")
    for file in (DOCS / "alerts.yml", rules):
        subprocess.run([promtool, "check", "rules", "--lint-fatal", file], check=True)


def test_promtool_sees_the_alerts_fire_when_they_should(promtool: str) -> None:
    """And not before: a trouble that passes by itself wakes nobody."""
    subprocess.run(
        [promtool, "test", "rules", ROOT / "tests/connector/alerts_test.yml"], check=True
    )


def _fill_in(expression: str) -> str:
    """As Grafana does, before it asks."""
    return (
        expression.replace("$__rate_interval", "5m")
        .replace("$job", ".*")
        .replace("$instance", ".*")
    )
