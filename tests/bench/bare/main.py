"""One route by hand: no token, no limits, no Idempotency-Key, no rules, no trace, no metrics, no log line, no problems.

It asks the store once: the guarded update, which answers with what it made of the document. What it writes is as large
as what the kit writes: events in the outbox, which nobody publishes, and a receipt.
"""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import FastAPI, Header, HTTPException, Response
from pydantic import BaseModel
from pymongo import AsyncMongoClient, ReturnDocument

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
    version = int(if_match.strip('"'))
    bodies = (
        {"company_id": str(id), "tags": wanted.tags},
        {"thing": str(id), "happened": ["company-tagged"], "by": "0" * 99},
    )
    headers = {f"ce_{n}": str(id) for n in range(8)}
    answer = {"id": str(id), "tags": wanted.tags, "business_id": "0" * 9, "name": "0" * 30, "others": "0" * 60}
    changed = await companies.find_one_and_update(
        {"_id": str(id), "college": "vaao", "version": version},
        {
            "$set": {
                "state.tags": wanted.tags,
                "version": version + 1,
                "sequence": 2 * version + 1,
                "changed_at": datetime.now(UTC),
                "receipts": [{"key": str(id), "fingerprint": "0" * 64, "answer": answer}],
                "outbox": [{"topic": "companies", "headers": headers, "body": body} for body in bodies],
            }
        },
        projection={"state": 1},
        return_document=ReturnDocument.AFTER,
    )
    if changed is None:
        raise HTTPException(412)
    response.headers["ETag"] = f'"{version + 1}"'
    return Company(id=id, **changed["state"])


@app.get("/readyz")
async def ready() -> None:
    """Always."""
