"""The chart renders resources that a cluster accepts, for each intended configuration."""

import shlex
from itertools import chain
from typing import Any

import pytest
import yaml

from tests.deploy.places import DEPLOY, REMOTE_SETTINGS, assert_known_settings
from tests.docs.blocks import find_code_blocks, read_docs_page

helm = pytest.importorskip("helm_python", reason="There is no Helm here: make tools installs it.")
kubernetes = pytest.importorskip("kubernetes_validate", reason="make tools installs it.")

CHART = DEPLOY / "helm" / "wgig"
SHARED_STORE = {
    "query": "http://virtuoso:8890/sparql",
    "update": "http://virtuoso:8890/sparql-auth",
    "secret": "virtuoso-login",
}
# The values of the chart for each configuration.
VALUES: dict[str, dict[str, Any]] = {
    "defaults": {},
    "public": {
        "ingress": {"enabled": True, "className": "haproxy", "host": "a.example", "tlsSecret": "a-tls"},
        "settings": {"WGIG_PROXIES": "10.0.0.0/8", "WGIG_CONTACT": "mailto:security@example.org"},
        "networkPolicy": {"from": [{"podSelector": {"matchLabels": {"app": "ingress"}}}]},
    },
    "shared store": {
        "replicas": 3,
        "remote": SHARED_STORE,
        "tokens": {"claim": "wgig-tokens"},
        "networkPolicy": {
            "egress": [
                {"ports": [{"port": 8890}], "to": [{"podSelector": {"matchLabels": {"app": "virtuoso"}}}]}
            ]
        },
    },
    "without optional parts": {
        "backup": {"enabled": False},
        "networkPolicy": {"enabled": False},
        "podDisruptionBudget": {"enabled": False},
        "image": {"repository": "a.example/wgig", "digest": f"sha256:{'0' * 64}"},
    },
}
each_configuration = pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)


def render_chart(values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The resources of the chart, by `kind/name`."""
    files = helm.Chart.load(CHART).render(values, name="wgig", namespace="a")
    documents = chain.from_iterable(
        yaml.safe_load_all(text) for path, text in files.items() if path.endswith(".yaml")
    )
    return {
        f"{resource['kind']}/{resource['metadata']['name']}": resource for resource in documents if resource
    }


def render_pod(values: dict[str, Any]) -> dict[str, Any]:
    pod: dict[str, Any] = render_chart(values)["StatefulSet/wgig"]["spec"]["template"]["spec"]
    return pod


@each_configuration
def test_helm_lint_reports_nothing(values: dict[str, Any]) -> None:
    report = helm.lint(CHART, values, strict=True)
    assert [message for message in report["messages"] if message["severity"] > 1] == report["errors"] == []


@each_configuration
@pytest.mark.parametrize("version", ["1.25", "1.34"])
def test_each_resource_is_valid_for_the_cluster(values: dict[str, Any], version: str) -> None:
    for resource in render_chart(values).values():
        kubernetes.validate(resource, version, strict=True)


@each_configuration
def test_containers_are_restricted(values: dict[str, Any]) -> None:
    pod = render_pod(values)
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["automountServiceAccountToken"] is False
    for container in pod["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"]["memory"]


@each_configuration
def test_settings_are_known_and_the_cluster_sets_none(values: dict[str, Any]) -> None:
    pod = render_pod(values)
    names = [variable["name"] for variable in pod["containers"][0]["env"]]
    assert_known_settings(names)
    assert len(names) == len(set(names))
    assert pod["enableServiceLinks"] is False
    assert set(names) >= REMOTE_SETTINGS or not values.get("remote")


def test_the_probes_request_health_and_ready() -> None:
    container, _backup_container = render_pod({})["containers"]
    assert container["startupProbe"]["httpGet"]["path"] == "/health"
    assert container["livenessProbe"]["httpGet"]["path"] == "/health"
    assert container["readinessProbe"]["httpGet"]["path"] == "/ready"


def test_of_several_instances_the_first_serves_the_changes() -> None:
    resources = render_chart(VALUES["shared store"] | {"ingress": {"enabled": True}})
    first, every = resources["Ingress/wgig"]["spec"]["rules"][0]["http"]["paths"]
    assert (first["path"], every["path"]) == ("/changes", "/")
    assert every["backend"]["service"]["name"] == "wgig"
    service = resources[f"Service/{first['backend']['service']['name']}"]
    assert service["spec"]["selector"] == resources["Service/wgig"]["spec"]["selector"] | {
        "statefulset.kubernetes.io/pod-name": "wgig-0"
    }
    (only_path,) = render_chart({"ingress": {"enabled": True}})["Ingress/wgig"]["spec"]["rules"][0]["http"][
        "paths"
    ]
    assert only_path["path"] == "/"


def test_optional_parts_can_be_left_out() -> None:
    assert sorted(name.partition("/")[0] for name in render_chart(VALUES["without optional parts"])) == [
        "Service",
        "Service",
        "StatefulSet",
    ]
    assert render_pod(VALUES["without optional parts"])["containers"][0]["image"].endswith(
        f"@sha256:{'0' * 64}"
    )


def test_the_command_in_the_docs_renders() -> None:
    page_blocks = find_code_blocks(read_docs_page("how-to/deploying.md"), "")
    (block,) = (block for block in page_blocks if block.startswith("helm install"))
    _, _, name, _, *options = shlex.split(block.replace("\\\n", ""))  # helm install NAME CHART --set …
    values = helm.parse_set_string(",".join(options[1::2]))
    assert (name, set(options[::2])) == ("wgig", {"--set"})
    resources = render_chart(values)
    assert resources["Ingress/wgig"]["spec"]["rules"][0]["host"] == "wgig.example.org"
    env = resources["StatefulSet/wgig"]["spec"]["template"]["spec"]["containers"][0]["env"]
    assert {"name": "WGIG_PROXIES", "value": "10.0.0.0/8"} in env


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"replicas": 2}, "More than one instance needs a shared store"),
        ({"settings": {"WGIG_PORT": "80"}}, "WGIG_PORT"),
        ({"settings": {"WGIG_READERS": 4}}, "string"),
        ({"image": {"repository": "wgig", "digest": "sha256:1"}}, "digest"),
        ({"remote": SHARED_STORE | {"profile": "fuseki"}}, "profile"),
        ({"replica": 1}, "replica"),  # instead of `replicas`
    ],
)
def test_invalid_values_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(helm.HelmError, match=message):
        render_chart(values)


@each_configuration
def test_the_notes_have_the_next_commands(values: dict[str, Any]) -> None:
    notes = helm.Chart.load(CHART).render(values, name="wgig", namespace="a")["wgig/templates/NOTES.txt"]
    assert "rollout status statefulset/wgig" in notes
    assert "wgig backup /" in notes
