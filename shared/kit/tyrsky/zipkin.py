"""Traces for Zipkin, with the other end of each call, which its service graph is drawn from.

OpenTelemetry's exporter leaves Zipkin's ``remoteEndpoint`` out. What is at the other end is told by the attributes that
the semantic conventions have for it.
"""

from typing import Any

from opentelemetry.exporter.zipkin.json import ZipkinExporter
from opentelemetry.exporter.zipkin.json.v2 import JsonV2Encoder

PEERS = ("peer.service", "messaging.system", "db.system.name")


class WithPeers(JsonV2Encoder):
    """The exporter's encoding, and the peer."""

    def _encode_span(self, span: Any, encoded_local_endpoint: dict[str, Any]) -> dict[str, Any]:
        encoded: dict[str, Any] = super()._encode_span(span, encoded_local_endpoint)
        peer = next((span.attributes[name] for name in PEERS if name in (span.attributes or {})), None)
        return {**encoded, "remoteEndpoint": {"serviceName": peer}} if peer else encoded


def exporter(endpoint: str | None, *, seconds: int) -> ZipkinExporter:
    """An exporter to the collector at ``endpoint``, which may take so many seconds."""
    made = ZipkinExporter(endpoint=endpoint, timeout=seconds)
    made.encoder = WithPeers()
    return made
