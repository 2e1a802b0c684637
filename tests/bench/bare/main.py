"""One route by hand: no token, no limits, no Idempotency-Key, no rules, no trace, no metrics, no log line, no problems.

What it writes is as large as what the kit writes: an event in the outbox, which nobody publishes, and a receipt.
"""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import FastAPI, Header, HTTPException, Response
from pydantic import BaseModel
from pymongo import AsyncMongoClient

from tests.bench.bare.settings import Settings

settings = Settings.read()
client = AsyncMongoClient[dict[str, Any]](settings.mongo_uri.get_secret_value(), w="majority", maxPoolSize=50)
companies = client[settings.mongo_database]["companies"]
app = FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False})


class Tags(BaseModel):
    """What a company is to be labelled with."""

    tags: list[str]


class Company(BaseModel):
    """A company, as the kit's service shows it."""

    id: UUID
    business_id: str
    name: str
    municipality: str | None
    business_line: str | None
    business_line_codes: str | None
    situation: str
    tags: list[str]


@app.patch("/companies/{id}")
async def tag(id: UUID, wanted: Tags, if_match: Annotated[str, Header()], response: Response) -> Company:
    """Label a company."""
    found = await companies.find_one({"_id": str(id), "college": "vaao"})
    if found is None:
        raise HTTPException(404)
    version, now = found["version"], datetime.now(UTC)
    state: dict[str, Any] = {**found["state"], "tags": wanted.tags}
    view = Company(id=id, **state)
    event = {"company_id": str(id), "tags": wanted.tags}
    done = await companies.update_one(
        {"_id": str(id), "college": "vaao", "version": int(if_match.strip('"'))},
        {
            "$set": {
                "state": state,
                "version": version + 1,
                "sequence": version + 1,
                "changed_at": now,
                "receipts": [{"key": str(id), "fingerprint": "0" * 64, "answer": view.model_dump(mode="json")}],
                "outbox": [{"topic": "companies", "headers": {f"ce_{n}": str(id) for n in range(8)}, "body": event}],
            }
        },
    )
    if not done.matched_count:
        raise HTTPException(412)
    response.headers["ETag"] = f'"{version + 1}"'
    return view


@app.get("/readyz")
async def ready() -> None:
    """Always."""
