"""A partner college follows the companies of the network. It needs Python and aiokafka, and nothing of Tyrsky's."""

import asyncio
import json
from os import environ

from aiokafka import AIOKafkaConsumer


async def main() -> None:
    """Print every event as a line of JSON."""
    consumer = AIOKafkaConsumer(
        "companies",
        bootstrap_servers=environ["KAFKA_PARTNER_BOOTSTRAP"],
        security_protocol="SASL_PLAINTEXT",  # outside the local stack: SASL_SSL, and an ssl_context
        sasl_mechanism="SCRAM-SHA-256",
        sasl_plain_username=environ["COLLEGE"],
        sasl_plain_password=environ["PASSWORD"],
        group_id=environ["COLLEGE"] + "-reader",  # a partner's groups begin with its code
        auto_offset_reset="earliest",
        isolation_level="read_committed",  # else you also see what a producer took back
        enable_auto_commit=False,
    )
    async with consumer:
        async for message in consumer:
            about = {name[3:]: value.decode() for name, value in message.headers if name.startswith("ce_")}
            print(json.dumps(about | {"data": json.loads(message.value)}), flush=True)
            await consumer.commit()  # after the work: a crash repeats an event (same id), and loses none


asyncio.run(main())
