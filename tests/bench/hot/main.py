"""The wiring of the example seats, without its consumers and webhooks."""

from seats import api, contracts, room
from tyrsky.service import Service
from tyrsky_contracts.codec import Codec

from tests.bench.hot.settings import Settings

settings = Settings.read()
topic = contracts.seats.model_copy(update={"name": settings.bench_topic})
service = Service("seats", settings, codec=Codec([topic]))
service.keeps(room.aggregate)
service.serves(api.router)
app = service.asgi()
