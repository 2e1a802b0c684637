"""Commands to the real store are spans inside the request's, and tell the command and the collection, no values."""

import os
from uuid import uuid4

import pytest
from opentelemetry.instrumentation.pymongo import PymongoInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pymongo import AsyncMongoClient
from tyrsky import telemetry
from tyrsky.sampling import KeepErrors, RecordAll


@pytest.mark.stack
async def test_a_command_is_a_span_without_its_values(monkeypatch: pytest.MonkeyPatch):
    exporter = InMemorySpanExporter()
    provider = TracerProvider(sampler=RecordAll(1.0), shutdown_on_exit=False)
    provider.add_span_processor(KeepErrors(SimpleSpanProcessor(telemetry.WithoutPersons(exporter))))
    # PyMongo's listeners are the process's for good: this test takes an instrumentor of its own, and leaves it off.
    instrumentor = PymongoInstrumentor()  # always the same one: a test before this may have used it
    monkeypatch.setattr(instrumentor, "_commandtracer_instance", None)
    was_on = instrumentor.is_instrumented_by_opentelemetry
    if was_on:
        instrumentor.uninstrument()
    instrumentor.instrument(tracer_provider=provider, capture_statement=False)
    name = f"spans-{uuid4().hex}"
    client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(
        os.environ.get("MONGO_URI", "mongodb://127.0.0.1:17017"), serverSelectionTimeoutMS=3_000
    )
    try:
        with provider.get_tracer("test").start_as_current_span("request") as request:
            await client[name]["contacts"].insert_one({"_id": "maija@x.example", "name": "Maija Meikäläinen"})
            await client[name]["contacts"].find_one({"name": "Maija Meikäläinen"})
        inside = request.get_span_context()
    finally:
        await client.drop_database(name)
        await client.close()
        instrumentor.uninstrument()
    insert, find, _ = exporter.get_finished_spans()
    for span, command in ((insert, "insert"), (find, "find")):
        assert span.name == f"{name}.{command}"
        assert span.parent is not None
        assert (span.parent.trace_id, span.parent.span_id) == (inside.trace_id, inside.span_id)
        assert span.attributes is not None
        assert span.attributes["db.collection.name"] == "contacts"
        assert "Maija" not in span.to_json()
        assert "maija" not in span.to_json()
