"""FastAPI, and a route."""

from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class NewRoom(BaseModel):
    """What is sent."""

    seats: int


@app.get("/readyz")
async def ready() -> dict[str, str]:
    return {"status": "ready"}


@app.post("/companies/rooms", status_code=201)
async def open_room(new: NewRoom) -> NewRoom:
    return new
