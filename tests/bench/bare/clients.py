"""FastAPI with the clients, each connected and otherwise idle: PyMongo, aiokafka (FastStream's), tracing, tokens."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import jwt
import prometheus_client
from fastapi import FastAPI
from faststream.kafka import KafkaBroker
from opentelemetry.exporter.zipkin.json import ZipkinExporter
from opentelemetry.instrumentation.pymongo import PymongoInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from pymongo import AsyncMongoClient

from tests.bench.bare import alone

USED = (httpx2.AsyncClient, jwt.PyJWK, prometheus_client.Counter)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
    client = AsyncMongoClient[dict[str, Any]](os.environ["MONGO_URI"])
    broker = KafkaBroker(os.environ["KAFKA_BOOTSTRAP"], allow_auto_create_topics=False)
    await client.admin.command("ping")
    await broker.start()
    yield
    await broker.stop()
    await client.close()


PymongoInstrumentor().instrument()
tracing = TracerProvider()
tracing.add_span_processor(BatchSpanProcessor(ZipkinExporter(endpoint=os.environ["TRACES_ENDPOINT"])))
app = FastAPI(lifespan=lifespan, telemetry={"tracer_provider": tracing})
app.include_router(alone.app.router)
