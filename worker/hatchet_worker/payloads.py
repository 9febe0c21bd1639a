"""What may travel through Temporal: JSON objects that are not too large."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import PydanticSerializationError, from_json, to_json

from hatchet_schemas.limits import MAX_PAYLOAD_BYTES
from hatchet_worker.errors import InvalidOutput

__all__ = ["encoded_size", "job_result", "json_object"]


def json_object(outputs: object) -> dict[str, Any]:
    """Return what an action returned as the JSON object that later steps see.

    Raises:
        InvalidOutput: it is no JSON object, or larger than `MAX_PAYLOAD_BYTES`.

    """
    if outputs is None:
        return {}
    try:
        encoded = to_json(outputs)
        decoded = from_json(encoded, allow_inf_nan=False)
    except (PydanticSerializationError, ValueError) as error:
        raise InvalidOutput(f"the outputs are not JSON data: {error}") from None
    if not isinstance(decoded, dict):
        raise InvalidOutput(
            f"the outputs are {_kind(outputs)}: expected a dict, a pydantic model or None"
        )
    if len(encoded) > MAX_PAYLOAD_BYTES:
        raise InvalidOutput(
            f"the outputs have {len(encoded):,} bytes as JSON, at most {MAX_PAYLOAD_BYTES:,} fit: "
            "store them elsewhere and return where"
        )
    return decoded


def encoded_size(value: object) -> int:
    """Return how many bytes ``value`` has as JSON."""
    return len(to_json(value))


def job_result(outputs: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the result of a job whose steps had these ``outputs``, by step id.

    It is ``{"steps": {<id>: <outputs>}}``. Where that is too large for Temporal, the largest
    outputs are left out until it fits, and their ids are listed under ``omitted``.
    """
    sizes = {step_id: encoded_size(fields) for step_id, fields in outputs.items()}
    omitted: list[str] = []
    for step_id in sorted(sizes, key=sizes.__getitem__, reverse=True):
        if sum(sizes.values()) <= MAX_PAYLOAD_BYTES:
            break
        del sizes[step_id]
        omitted.append(step_id)
    result: dict[str, Any] = {"steps": {step_id: outputs[step_id] for step_id in sizes}}
    return {**result, "omitted": omitted} if omitted else result


def _kind(value: object) -> str:
    return f"a {type(value).__name__}"
