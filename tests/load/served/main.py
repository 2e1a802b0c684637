"""Rooms of ``docs/examples/seats``, under a path that the gateway knows; a policy gives each seat back. And a bell, for
event streams.
"""

import asyncio
from collections.abc import AsyncIterator

from fastapi import APIRouter, Depends
from fastapi.sse import EventSourceResponse
from seats import api, contracts, room, views
from seats.contracts import SeatReserved
from seats.room import Cancel
from tyrsky.auth import caller
from tyrsky.policies import Policies
from tyrsky.service import Service
from tyrsky_contracts.codec import Codec
from tyrsky_contracts.event import Envelope
from tyrsky_contracts.topics import Topic

from tests.load.served.settings import Settings

settings = Settings.read()
policies = Policies()


@policies.when(SeatReserved)
def give_it_back(event: SeatReserved, about: Envelope) -> Cancel:
    """Each reservation is a command to come: what is soaked is the whole way round."""
    return Cancel(room_id=event.room_id, reservation_id=event.reservation_id)


bell = APIRouter(prefix="/bell", dependencies=[Depends(caller)])
rung = asyncio.Condition()


@bell.get("", response_class=EventSourceResponse)
async def listen() -> AsyncIterator[str]:
    """Each time that it rings."""
    while True:
        async with rung:
            await rung.wait()
        yield "rung"


@bell.post("", status_code=204)
async def ring() -> None:
    """Once."""
    async with rung:
        rung.notify_all()


topic: Topic = contracts.seats.model_copy(update={"name": settings.bench_topic})
service = Service(settings.bench_topic, settings, codec=Codec([topic]))
service.keeps(room.aggregate)
service.projects(views.occupancy)
under_companies = APIRouter(prefix="/companies")
under_companies.include_router(api.router)
under_companies.include_router(bell)
service.serves(under_companies)
service.reacts(policies)
app = service.asgi()
