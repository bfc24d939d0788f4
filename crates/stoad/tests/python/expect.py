"""Expectations, and what a failed call says for itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

DOMAIN = "stoa.control.v1"


def equal(actual: Any, expected: Any, what: str) -> None:
    """Fail unless both are equal."""
    if actual != expected:
        raise AssertionError(f"{what}: expected {expected!r}, not {actual!r}")


def true(condition: bool, what: str) -> None:
    """Fail unless it holds."""
    if not condition:
        raise AssertionError(what)


@dataclass
class Details:
    """The rich part of an error: `google.rpc.Status` and what we put into it."""

    reason: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    fields: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, status: status_pb2.Status) -> Details:
        """Unpack the details; every one of our errors has an `ErrorInfo` of our domain."""
        info = error_details_pb2.ErrorInfo()
        bad = error_details_pb2.BadRequest()
        found = cls()
        for detail in status.details:
            if detail.Unpack(info):
                equal(info.domain, DOMAIN, "the domain")
                found.reason = info.reason
                found.metadata = dict(info.metadata)
            elif detail.Unpack(bad):
                found.fields = [v.field for v in bad.field_violations]
        return found


def refused(error: grpc.RpcError, code: grpc.StatusCode, reason: str) -> Details:
    """Expect this failure of a call: canonical code, reason, and a message."""
    equal(error.code(), code, f"the code ({error.details()})")
    # Fails by itself where the details disagree with the status beside them.
    status = rpc_status.from_call(error)
    true(status is not None, f"no details: {error.details()}")
    true(bool(status.message), "an error without a message")
    details = Details.of(status)
    equal(details.reason, reason, f"the reason ({status.message})")
    return details


def refusal(call: Callable[[], Any], code: grpc.StatusCode, reason: str) -> Details:
    """Make a call that must fail like this."""
    try:
        answer = call()
    except grpc.RpcError as error:
        return refused(error, code, reason)
    raise AssertionError(f"expected {reason}, not the answer {answer!r}")
