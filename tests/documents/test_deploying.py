"""The files that deploy the connector fit it: its variables, its port, its probes, its times."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
import yaml

from connector.environment import SettingsError, load_settings
from connector.settings import ACTOR_FIELDS, ActorSettings, Settings
from tests.conftest import ROOT

PORT = Settings.model_fields["port"].default
GRACE_S = Settings.model_fields["grace_s"].default
HAND_OVER_S = 5.0
"""Left between the last settling and the end: the lease is given up, connections are closed."""
USER = 10001
REQUIRED = {name.upper() for name, field in Settings.model_fields.items() if field.is_required()}
SECRET = {name.upper() for name, field in Settings.model_fields.items() if "Secret" in str(field)}
KNOBS = {f"{name}_{knob}".upper() for name in ACTOR_FIELDS for knob in ActorSettings.model_fields}
KNOWN = {name.upper() for name in Settings.model_fields if name not in ACTOR_FIELDS} | KNOBS

COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
APP = yaml.safe_load((ROOT / ".do" / "deploy.template.yaml").read_text("utf-8"))["spec"]
CLUSTER = list(yaml.safe_load_all((ROOT / "docs" / "kubernetes.yaml").read_text("utf-8")))
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")

# https://docs.digitalocean.com/products/app-platform/reference/app-spec/
_APP_KEYS = {
    "spec": {"name", "alerts", "ingress", "services"},
    "service": {
        "name", "git", "dockerfile_path", "instance_size_slug", "instance_count", "http_port",
        "health_check", "liveness_health_check", "termination", "alerts", "envs",
    },
    "env": {"key", "value", "scope", "type"},
    "check": {
        "http_path", "initial_delay_seconds", "period_seconds", "timeout_seconds",
        "failure_threshold", "success_threshold",
    },
}  # fmt: skip


def _find(kind: str) -> dict[str, Any]:
    (found,) = [one for one in CLUSTER if one["kind"] == kind]
    return dict(found)


def _find_pod() -> dict[str, Any]:
    return dict(_find("Deployment")["spec"]["template"]["spec"])


def _find_container() -> dict[str, Any]:
    (container,) = _find_pod()["containers"]
    return dict(container)


def _list_probed() -> Iterator[tuple[str, str]]:
    container, service = _find_container(), APP["services"][0]
    yield "readiness", container["readinessProbe"]["httpGet"]["path"]
    yield "liveness", container["livenessProbe"]["httpGet"]["path"]
    yield "readiness", service["health_check"]["http_path"]
    yield "liveness", service["liveness_health_check"]["http_path"]


def test_the_compose_file_is_one() -> None:
    """By the schema of the Compose Specification."""
    vendor = files("check_jsonschema").joinpath("builtin_schemas", "vendor", "compose-spec.json")
    schema = json.loads(vendor.read_text("utf-8"))
    jsonschema.Draft202012Validator(schema).validate(COMPOSE)


def test_the_compose_file_sets_variables_that_exist() -> None:
    """With a ``.env`` of only what is required, the connector starts on them."""
    environment = COMPOSE["services"]["connector"]["environment"]
    assert set(environment) <= KNOWN
    assert COMPOSE["services"]["connector"]["env_file"] == ".env"
    given = dict.fromkeys(REQUIRED, "x.example") | environment
    settings = load_settings({name: str(value) for name, value in given.items()})
    assert settings.redis_url is not None
    assert settings.port == PORT


def test_a_token_in_the_env_file_does_no_harm() -> None:
    """REDIS_TOKEN goes only with Upstash's address: the compose file empties it."""
    environment = COMPOSE["services"]["connector"]["environment"]
    given = {**dict.fromkeys(REQUIRED, "x.example"), "REDIS_TOKEN": "left from elsewhere"}
    assert load_settings({**given, **environment}).redis_token is None
    with pytest.raises(SettingsError):
        load_settings({**given, "REDIS_URL": environment["REDIS_URL"]})


def test_the_redis_of_the_compose_file_forgets_nothing() -> None:
    """What it acknowledged is on the disk, in a volume, and nothing is evicted."""
    redis = COMPOSE["services"]["redis"]
    command = dict(zip(redis["command"][1::2], redis["command"][2::2], strict=True))
    assert command["--appendonly"] == "yes"
    assert command["--appendfsync"] == "always"
    assert command["--maxmemory-policy"] == "noeviction"
    (mount,) = redis["volumes"]
    assert mount.split(":")[0] in COMPOSE["volumes"]
    assert "redis-cli" in redis["healthcheck"]["test"]
    waits = COMPOSE["services"]["connector"]["depends_on"]["redis"]
    assert waits == {"condition": "service_healthy"}


@pytest.mark.parametrize("name", ["connector", "redis"])
def test_a_composed_container_may_do_little(name: str) -> None:
    """No root, no capabilities, nothing to be written but what is meant to."""
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert "tmpfs" not in service
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service["user"].startswith("0")
    assert service["mem_limit"].endswith("m")


def test_the_image_is_what_the_files_take_it_for() -> None:
    """Its user, its port and its health check."""
    assert f"\nUSER {USER}:{USER}\n" in DOCKERFILE
    assert f"EXPOSE {PORT}" in DOCKERFILE
    assert "/livez" in DOCKERFILE.partition("HEALTHCHECK")[2]
    assert COMPOSE["services"]["connector"]["user"] == f"{USER}:{USER}"
    assert COMPOSE["services"]["connector"]["ports"] == [f"{PORT}:{PORT}"]


@pytest.mark.parametrize(("meant", "path"), list(_list_probed()))
def test_probes_ask_what_answers_them(meant: str, path: str) -> None:
    """Whether it may take webhooks, and whether only a new process would help."""
    assert path == {"readiness": "/readyz", "liveness": "/livez"}[meant]
    routes = (ROOT / "connector" / "routes.py").read_text("utf-8")
    assert f'@app.get("{path}")' in routes


def test_nobody_kills_what_is_still_finishing() -> None:
    """Every platform waits for longer than GRACE_S."""
    stop = COMPOSE["services"]["connector"]["stop_grace_period"]
    waits_s = [
        int(stop.removesuffix("s")),
        _find_pod()["terminationGracePeriodSeconds"],
        APP["services"][0]["termination"]["grace_period_seconds"],
    ]
    readme = (ROOT / "docs" / "deploying.md").read_text("utf-8")
    waits_s += [int(one) for one in re.findall(r"--stop-timeout (\d+)", readme)]
    assert len(waits_s) == 4
    assert all(wait_s >= GRACE_S + HAND_OVER_S for wait_s in waits_s)


def test_the_app_spec_uses_keys_that_exist() -> None:
    """Those of DigitalOcean's reference; a wrong one would be refused, or passed over."""
    (service,) = APP["services"]
    assert set(APP) <= _APP_KEYS["spec"]
    assert set(service) <= _APP_KEYS["service"]
    for check in (service["health_check"], service["liveness_health_check"]):
        assert set(check) <= _APP_KEYS["check"]
    for name in (APP["name"], service["name"]):
        assert re.fullmatch(r"[a-z][a-z0-9-]{0,30}[a-z0-9]", name)
    (rule,) = APP["ingress"]["rules"]
    assert rule["component"]["name"] == service["name"]
    assert service["http_port"] == PORT


def test_the_app_spec_asks_for_what_is_required() -> None:
    """And for a Redis, since an app's own files do not last; secrets are marked as such."""
    envs = {one["key"]: one for one in APP["services"][0]["envs"]}
    assert all(set(one) <= _APP_KEYS["env"] for one in envs.values())
    assert envs.keys() <= KNOWN
    assert envs.keys() >= REQUIRED | {"REDIS_URL", "REDIS_TOKEN"}
    assert {key for key, one in envs.items() if one.get("type") == "SECRET"} == (
        SECRET & envs.keys()
    )
    assert not any("value" in one for key, one in envs.items() if key in SECRET | REQUIRED)


def test_the_button_deploys_the_repository_of_the_app_spec() -> None:
    """The address stands in both; they are changed together."""
    source = APP["services"][0]["git"]
    wanted = f"{source['repo_clone_url'].removesuffix('.git')}/tree/{source['branch']}"
    for page in ("README.md", "docs/deploying.md"):
        text = (ROOT / page).read_text("utf-8")
        found = re.findall(r"https://cloud\.digitalocean\.com/apps/new\?repo=([^)\s]+)", text)
        assert set(found) == {wanted}, page


def test_the_pods_take_turns() -> None:
    """The new one is there before the old one goes, and a drained node leaves one."""
    deployment = _find("Deployment")["spec"]
    rolling = deployment["strategy"]["rollingUpdate"]
    assert (rolling["maxSurge"], rolling["maxUnavailable"]) == (1, 0)
    assert deployment["replicas"] in (1, 2)
    assert _find("PodDisruptionBudget")["spec"]["minAvailable"] < deployment["replicas"]


def test_everything_in_the_cluster_finds_what_it_names() -> None:
    """Labels, ports, services and volumes fit each other."""
    deployment, pod, container = _find("Deployment")["spec"], _find_pod(), _find_container()
    labels = deployment["template"]["metadata"]["labels"]
    assert deployment["selector"]["matchLabels"] == labels
    assert _find("PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == labels
    service = _find("Service")
    assert service["spec"]["selector"] == labels
    (port,) = container["ports"]
    assert (port["name"], port["containerPort"]) == ("http", PORT)
    assert {one["port"] for one in (container["readinessProbe"]["httpGet"],
                                    container["livenessProbe"]["httpGet"])} == {"http"}  # fmt: skip
    assert [one["targetPort"] for one in service["spec"]["ports"]] == ["http"]
    assert {one["name"] for one in container["volumeMounts"]} == {
        one["name"] for one in pod["volumes"]
    }
    state_dir = re.findall(r"STATE_DIR=(\S+)", DOCKERFILE)
    assert [one["mountPath"] for one in container["volumeMounts"]] == state_dir
    assert {one["name"] for one in container["env"]} <= KNOWN
    (rule,) = _find("Ingress")["spec"]["rules"]
    (path,) = rule["http"]["paths"]
    assert (path["path"], path["pathType"]) == ("/webhook", "Exact")
    assert path["backend"]["service"]["name"] == service["metadata"]["name"]


def test_a_pod_may_do_little() -> None:
    """It meets the Restricted profile of the Pod Security Standards."""
    pod, container = _find_pod(), _find_container()
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == USER
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"] == "256Mi"
