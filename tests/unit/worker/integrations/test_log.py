"""Records that steps write."""

from __future__ import annotations

from typing import Any

import pytest
from structlog.testing import capture_logs

from hatchet_worker import Context, InvalidInput, use_context
from hatchet_worker.integrations.log import Log


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
def test_a_record_has_the_step_s_fields_and_its_own(level: str) -> None:
    with capture_logs() as records:
        context = Context()
        context = Context(logger=context.logger.bind(step="welcome", attempt=2))
        with use_context(context):
            data = {"message": "hello", "level": level, "fields": {"n": [1], "user-id": "u"}}
            assert Log().perform_action("write", data) is None

    assert records == [
        {
            "event": "step.said",
            "log_level": level,
            "message": "hello",
            "step": "welcome",
            "attempt": 2,
            "n": [1],
            "user-id": "u",
        }
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "message: Field required"),
        ({"message": "x", "level": "fatal"}, "level: "),
        ({"message": "x", "fields": {"event": 1, "step": 2}}, "of its own .*: event, step"),
        ({"message": "x", "fields": {"message": 1}}, "of its own"),
        ({"message": "x", "fields": {"self": 1, "method_name": 2}}, "method_name, self"),
        ({"message": "x", "user": 1}, "user: Extra inputs"),
    ],
)
def test_what_is_no_record_is_not_written(data: dict[str, Any], message: str) -> None:
    with (
        capture_logs() as records,
        use_context(Context()),
        pytest.raises(InvalidInput, match=message),
    ):
        Log().perform_action("write", data)

    assert records == []
