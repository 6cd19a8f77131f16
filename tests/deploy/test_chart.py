"""The chart renders into what a cluster takes, for each way in which it is meant to be used."""

import shlex
from itertools import chain
from typing import Any

import pytest
import yaml

from tests.deploy.places import DEPLOY, REMOTE, refuse_unknown
from tests.docs.blocks import blocks, page

helm = pytest.importorskip("helm_python", reason="There is no Helm here: make tools installs it.")
kubernetes = pytest.importorskip("kubernetes_validate", reason="make tools installs it.")

CHART = DEPLOY / "helm" / "wgig"
SHARED = {
    "query": "http://virtuoso:8890/sparql",
    "update": "http://virtuoso:8890/sparql-auth",
    "secret": "virtuoso-login",
}
WAYS: dict[str, dict[str, Any]] = {
    "as it comes": {},
    "before everybody": {
        "ingress": {"enabled": True, "className": "haproxy", "host": "a.example", "tlsSecret": "a-tls"},
        "settings": {"WGIG_PROXIES": "10.0.0.0/8", "WGIG_CONTACT": "mailto:security@example.org"},
        "networkPolicy": {"from": [{"podSelector": {"matchLabels": {"app": "ingress"}}}]},
    },
    "over a shared store": {
        "replicas": 3,
        "remote": SHARED,
        "tokens": {"claim": "wgig-tokens"},
        "networkPolicy": {
            "egress": [
                {"ports": [{"port": 8890}], "to": [{"podSelector": {"matchLabels": {"app": "virtuoso"}}}]}
            ]
        },
    },
    "without what may be left out": {
        "backup": {"enabled": False},
        "networkPolicy": {"enabled": False},
        "podDisruptionBudget": {"enabled": False},
        "image": {"repository": "a.example/wgig", "digest": f"sha256:{'0' * 64}"},
    },
}
every_way = pytest.mark.parametrize("values", WAYS.values(), ids=WAYS)


def rendered(values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The resources of the chart, by kind and name."""
    files = helm.Chart.load(CHART).render(values, name="wgig", namespace="a")
    documents = chain.from_iterable(
        yaml.safe_load_all(text) for path, text in files.items() if path.endswith(".yaml")
    )
    return {f"{one['kind']}/{one['metadata']['name']}": one for one in documents if one}


def pod(values: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = rendered(values)["StatefulSet/wgig"]["spec"]["template"]["spec"]
    return found


@every_way
def test_helm_finds_nothing_wrong(values: dict[str, Any]) -> None:
    report = helm.lint(CHART, values, strict=True)
    assert [one for one in report["messages"] if one["severity"] > 1] == report["errors"] == []


@every_way
@pytest.mark.parametrize("version", ["1.25", "1.34"])
def test_a_cluster_takes_each_resource(values: dict[str, Any], version: str) -> None:
    for one in rendered(values).values():
        kubernetes.validate(one, version, strict=True)


@every_way
def test_a_container_may_do_little(values: dict[str, Any]) -> None:
    found = pod(values)
    assert found["securityContext"]["runAsNonRoot"]
    assert found["automountServiceAccountToken"] is False
    for one in found["containers"]:
        assert one["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert one["resources"]["limits"]["memory"]


@every_way
def test_settings_are_known_and_the_cluster_sets_none(values: dict[str, Any]) -> None:
    found = pod(values)
    names = [one["name"] for one in found["containers"][0]["env"]]
    refuse_unknown(names)
    assert len(names) == len(set(names))
    assert found["enableServiceLinks"] is False
    assert set(names) >= REMOTE or not values.get("remote")


def test_it_is_asked_whether_it_lives_and_whether_it_answers() -> None:
    one, _ = pod({})["containers"]
    assert one["startupProbe"]["httpGet"]["path"] == one["livenessProbe"]["httpGet"]["path"] == "/health"
    assert one["readinessProbe"]["httpGet"]["path"] == "/ready"


def test_of_several_instances_the_first_tells_the_changes() -> None:
    shown = rendered(WAYS["over a shared store"] | {"ingress": {"enabled": True}})
    first, every = shown["Ingress/wgig"]["spec"]["rules"][0]["http"]["paths"]
    assert (first["path"], every["path"]) == ("/changes", "/")
    assert every["backend"]["service"]["name"] == "wgig"
    service = shown[f"Service/{first['backend']['service']['name']}"]
    assert service["spec"]["selector"] == shown["Service/wgig"]["spec"]["selector"] | {
        "statefulset.kubernetes.io/pod-name": "wgig-0"
    }
    (alone,) = rendered({"ingress": {"enabled": True}})["Ingress/wgig"]["spec"]["rules"][0]["http"]["paths"]
    assert alone["path"] == "/"


def test_what_may_be_left_out_is_left_out() -> None:
    assert sorted(one.partition("/")[0] for one in rendered(WAYS["without what may be left out"])) == [
        "Service",
        "Service",
        "StatefulSet",
    ]
    assert pod(WAYS["without what may be left out"])["containers"][0]["image"].endswith(f"@sha256:{'0' * 64}")


def test_the_command_that_the_docs_show_is_taken() -> None:
    (block,) = (one for one in blocks(page("how-to/deploying.md"), "") if one.startswith("helm install"))
    _, _, name, _, *options = shlex.split(block.replace("\\\n", ""))
    values = helm.parse_set_string(",".join(options[1::2]))
    assert (name, set(options[::2])) == ("wgig", {"--set"})
    shown = rendered(values)
    assert shown["Ingress/wgig"]["spec"]["rules"][0]["host"] == "wgig.example.org"
    env = shown["StatefulSet/wgig"]["spec"]["template"]["spec"]["containers"][0]["env"]
    assert {"name": "WGIG_PROXIES", "value": "10.0.0.0/8"} in env


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"replicas": 2}, "More than one instance need a store that they share"),
        ({"settings": {"WGIG_PORT": "80"}}, "WGIG_PORT"),
        ({"settings": {"WGIG_READERS": 4}}, "string"),
        ({"image": {"repository": "wgig", "digest": "sha256:1"}}, "digest"),
        ({"remote": SHARED | {"profile": "fuseki"}}, "profile"),
        ({"replica": 1}, "replica"),
    ],
)
def test_values_that_do_not_fit_are_refused(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(helm.HelmError, match=sentence):
        rendered(values)


@every_way
def test_the_notes_say_what_comes_next(values: dict[str, Any]) -> None:
    notes = helm.Chart.load(CHART).render(values, name="wgig", namespace="a")["wgig/templates/NOTES.txt"]
    assert "rollout status statefulset/wgig" in notes
    assert "wgig backup /" in notes
