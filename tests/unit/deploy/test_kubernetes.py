"""The manifests for Kubernetes, against its own schemas; KEDA's against what its documents say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml
from tests.unit.deploy.graces import grace_of

from hatchet_router.settings import RouterSettings
from hatchet_schemas import SourceFile, load_definitions
from hatchet_schemas.names import ROUTER_QUEUE

_VERSION = "1.34"  # the oldest that is still common; newer ones only add
_KEDA = "keda.sh/v1alpha1"
_STRINGS = {"type": "object", "additionalProperties": {"type": "string"}}
# KEDA's documentation of ScaledObject, TriggerAuthentication and the two scalers.
_SCALERS: dict[str, set[str]] = {
    "rabbitmq": {"protocol", "queueName", "mode", "value", "vhostName", "activationValue"},
    "temporal": {
        "activationTargetQueueSize",
        "endpoint",
        "namespace",
        "queueTypes",
        "targetQueueSize",
        "taskQueue",
        "tlsServerName",
    },
}
_SCALED = {
    "type": "object",
    "required": ["scaleTargetRef", "triggers"],
    "additionalProperties": False,
    "properties": {
        "scaleTargetRef": {"type": "object", "required": ["name"]},
        "minReplicaCount": {"type": "integer", "minimum": 1},
        "maxReplicaCount": {"type": "integer"},
        "cooldownPeriod": {"type": "integer"},
        "pollingInterval": {"type": "integer"},
        "triggers": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["type", "metadata"],
                "properties": {"type": {"enum": list(_SCALERS)}, "metadata": _STRINGS},
            },
        },
    },
}


@pytest.fixture(scope="module")
def folder(root: Path) -> Path:
    return root / "deploy" / "kubernetes"


@pytest.fixture(scope="module")
def manifests(folder: Path) -> list[dict[str, Any]]:
    """All that `kubectl apply -k` creates with all components, but for generated ConfigMaps."""
    return [
        manifest
        for each in (folder, *_components(folder))
        for path in _kustomization(each)["resources"]
        for manifest in yaml.safe_load_all((each / path).read_text())
    ]


def _components(folder: Path) -> list[Path]:
    """Return the folders of what is not in force before somebody says so."""
    return [path.parent for path in folder.glob("*/kustomization.yaml")]


def _kustomization(folder: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((folder / "kustomization.yaml").read_text())
    return loaded


def of_kind(manifests: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    return {each["metadata"]["name"]: each["spec"] for each in manifests if each["kind"] == kind}


def test_each_manifest_is_what_kubernetes_takes(manifests: list[dict[str, Any]]) -> None:
    own = [manifest for manifest in manifests if manifest["apiVersion"] != _KEDA]

    assert len(own) >= 8
    for manifest in own:
        kubernetes_validate.validate(manifest, _VERSION, strict=True)


def test_every_file_is_listed_and_there(folder: Path) -> None:
    kustomization = _kustomization(folder)
    workflows = [
        file for each in kustomization["configMapGenerator"] for file in each.get("files", [])
    ]

    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    of_components = {
        (each / file).relative_to(folder).as_posix()
        for each in _components(folder)
        for file in ("kustomization.yaml", *_kustomization(each)["resources"])
    }
    listed = {"kustomization.yaml", *kustomization["resources"], *workflows}
    assert files == listed | of_components
    text = (folder / "kustomization.yaml").read_text()
    names = sorted(each.name for each in _components(folder))
    assert f"# components: [{', '.join(names)}]" in text
    assert {_kustomization(each)["kind"] for each in _components(folder)} == {"Component"}


def test_the_example_of_a_workflow_file_has_no_problems(folder: Path) -> None:
    path = folder / "workflows" / "example.yaml"

    assert load_definitions([SourceFile("example.yaml", path.read_bytes())])[1] == ()


def test_scalers_and_budgets_are_for_deployments_that_there_are(
    manifests: list[dict[str, Any]],
) -> None:
    deployments = of_kind(manifests, "Deployment")
    scaled = of_kind(manifests, "ScaledObject")
    authentications = of_kind(manifests, "TriggerAuthentication")

    assert deployments.keys() == of_kind(manifests, "PodDisruptionBudget").keys()
    assert deployments.keys() - scaled.keys() == {"hatchet-webhooks"}
    for name, spec in scaled.items():
        jsonschema.validate(spec, _SCALED)
        assert spec["scaleTargetRef"]["name"] == name
        for trigger in spec["triggers"]:
            assert trigger["metadata"].keys() <= _SCALERS[trigger["type"]]
            reference = trigger.get("authenticationRef")
            assert reference is None or reference["name"] in authentications
    [trigger] = scaled["hatchet-router"]["triggers"]
    assert trigger["metadata"]["queueName"] == ROUTER_QUEUE


def test_selectors_select_the_pods(manifests: list[dict[str, Any]]) -> None:
    deployments = of_kind(manifests, "Deployment")
    policies = of_kind(manifests, "NetworkPolicy")
    budgets = of_kind(manifests, "PodDisruptionBudget")

    for name, spec in deployments.items():
        labels = spec["template"]["metadata"]["labels"]
        assert spec["selector"]["matchLabels"] == labels
        assert policies[name]["podSelector"]["matchLabels"] == labels
        assert budgets[name]["selector"]["matchLabels"] == labels
    assert policies["hatchet-common"]["podSelector"] == {}


def test_pods_run_without_rights_and_are_probed(manifests: list[dict[str, Any]]) -> None:
    for spec in of_kind(manifests, "Deployment").values():
        pod = spec["template"]["spec"]
        [container] = pod["containers"]

        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
        assert container["livenessProbe"]["httpGet"]["path"] == "/livez"
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert mounted == {volume["name"] for volume in pod["volumes"]}


def test_pods_have_the_time_to_finish_what_they_have_in_hand(
    manifests: list[dict[str, Any]],
) -> None:
    """And one that a Service leads to is left out by it before nobody can connect any more."""
    led_to = of_kind(manifests, "Service").keys()
    for name, spec in of_kind(manifests, "Deployment").items():
        pod = spec["template"]["spec"]
        lifecycle = pod["containers"][0].get("lifecycle", {})
        waits = lifecycle.get("preStop", {}).get("sleep", {}).get("seconds", 0)

        assert (waits >= 5) == (name in led_to), name
        assert pod["terminationGracePeriodSeconds"] >= waits + grace_of(name) + 10


def test_workers_do_not_know_the_broker_and_reach_nothing_within(
    manifests: list[dict[str, Any]],
) -> None:
    [worker] = of_kind(manifests, "Deployment")["hatchet-worker"]["template"]["spec"]["containers"]
    [rule] = of_kind(manifests, "NetworkPolicy")["hatchet-worker"]["egress"]

    assert [list(source) for source in worker["envFrom"]] == [["configMapRef"]]
    assert "169.254.0.0/16" in rule["to"][0]["ipBlock"]["except"]


def test_webhooks_come_to_the_port_that_the_process_has(manifests: list[dict[str, Any]]) -> None:
    """And its user of RabbitMQ is another one than the routers'."""
    pod = of_kind(manifests, "Deployment")["hatchet-webhooks"]["template"]
    [container] = pod["spec"]["containers"]
    service = of_kind(manifests, "Service")["hatchet-webhooks"]
    [way_in] = of_kind(manifests, "NetworkPolicy")["hatchet-webhooks"]["ingress"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}

    assert ports["http"] == RouterSettings.model_fields["webhooks_port"].default
    assert service["selector"].items() <= pod["metadata"]["labels"].items()
    assert service["ports"][0]["targetPort"] == "http"
    assert way_in["ports"] == [{"port": ports["http"]}]
    assert {"secretRef": {"name": "hatchet-webhooks"}} in container["envFrom"]
