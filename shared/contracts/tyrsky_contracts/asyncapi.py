"""The network's AsyncAPI 3 document: the map of the topics, for whoever does not read Python."""

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from tyrsky_contracts.event import Envelope, Event
from tyrsky_contracts.schemas import FOLDER, Json, events_of, example_of, schema_of
from tyrsky_contracts.topics import Topic

ABOUT = """\
The network's log: one topic per kind of aggregate, one message per event, in order per key (the aggregate's id).
Messages are CloudEvents 1.0 in binary mode: attributes in headers `ce_*`, the event as JSON in the body. Within a
version of an event only optional fields are added. Services publish in transactions: readers ask for what is committed
(`isolation.level=read_committed`, which is not a client's default), or they see more than there is. Public
topics carry no personal data, and partner colleges may read them with a user and groups of their own
(`<college>-<purpose>`)."""

BINDING = "0.5.0"


def document(topics: Sequence[Topic], folder: Path = FOLDER) -> Json:
    """The whole document, with the examples of ``folder``."""
    events = events_of(topics)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Tyrsky",
            "version": version("tyrsky-contracts"),
            "description": ABOUT,
            "license": {"name": "EUPL-1.2"},
        },
        "defaultContentType": "application/json",
        "servers": _servers(),
        "channels": {topic.name: _channel(topic) for topic in topics},
        "operations": {name: operation for topic in topics for name, operation in _operations(topic).items()},
        "components": {
            "messages": {event.__name__: _message(event, folder) for event in events},
            "schemas": {"CloudEventHeaders": _headers(), **{event.__name__: schema_of(event) for event in events}},
            "securitySchemes": {"scram": {"type": "scramSha256", "description": "One user per partner college."}},
        },
    }


def _servers() -> Json:
    host = {"host": {"default": "localhost", "description": "A broker of the deployment."}}
    return {
        "internal": {
            "host": "{host}:9092",
            "protocol": "kafka",
            "description": "The services of the deployment.",
            "variables": host,
        },
        "partner": {
            "host": "{host}:9094",
            "protocol": "kafka-secure",
            "description": "Partner colleges: public topics, to read. Without TLS in a local stack.",
            "variables": host,
            "security": [{"$ref": "#/components/securitySchemes/scram"}],
        },
    }


def _channel(topic: Topic) -> Json:
    servers = ["internal", "partner"] if topic.public else ["internal"]
    kept = "for ever" if topic.retention is None else f"{topic.retention.days} days"
    kept_ms = -1 if topic.retention is None else int(topic.retention.total_seconds() * 1000)
    return {
        "address": topic.name,
        "description": f"{topic.about} Kept {kept}.",
        "servers": [{"$ref": f"#/servers/{server}"} for server in servers],
        "messages": {event.__name__: {"$ref": f"#/components/messages/{event.__name__}"} for event in topic.events},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "topicConfiguration": {"cleanup.policy": ["delete"], "retention.ms": kept_ms},
                "bindingVersion": BINDING,
            }
        },
    }


def _operations(topic: Topic) -> Json:
    channel = {"$ref": f"#/channels/{topic.name}"}
    sends = {
        f"{producer}-publishes-{topic.name}": {
            "action": "send",
            "channel": channel,
            "summary": f"The service {producer} publishes.",
        }
        for producer in topic.producers
    }
    receives = {
        f"{group}-reads-{topic.name}": {
            "action": "receive",
            "channel": channel,
            "summary": f"The consumer group {group} reads.",
            "bindings": {"kafka": {"groupId": {"type": "string", "const": group}, "bindingVersion": BINDING}},
        }
        for group in topic.consumers
    }
    return {**sends, **receives}


def _message(event: type[Event], folder: Path) -> Json:
    example = example_of(event, folder)
    retired = event.upcast is not Event.upcast
    return {
        "name": event.type,
        "title": event.__name__,
        "summary": (event.__doc__ or "").split("\n", maxsplit=1)[0],
        "contentType": "application/json",
        "headers": {
            "allOf": [
                {"$ref": "#/components/schemas/CloudEventHeaders"},
                {"type": "object", "properties": {"ce_type": {"const": event.type}}},
            ]
        },
        "payload": {"$ref": f"#/components/schemas/{event.__name__}"},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": "The aggregate's id, as in ce_subject."},
                "bindingVersion": BINDING,
            }
        },
        "examples": [
            {
                "name": "retired" if retired else "newest",
                "headers": {f"ce_{name}": str(value) for name, value in example.items() if name != "data"},
                "payload": example["data"],
            }
        ],
    }


def _headers() -> Json:
    """The envelope's attributes as Kafka carries them: every one is text."""
    envelope = schema_of(Envelope)
    properties: Json = {}
    for name, schema in envelope["properties"].items():
        kinds = schema.get("anyOf", [schema])
        text = {key: value for key, value in kinds[0].items() if key in ("format", "pattern", "const", "maxLength")}
        number = {"pattern": "^[1-9][0-9]*$"} if kinds[0].get("type") == "integer" else {}
        properties[f"ce_{name}"] = {"type": "string", **text, **number}
    return {
        "type": "object",
        "description": "CloudEvents 1.0 in binary mode, with Tyrsky's extensions.",
        "properties": properties,
        "required": [f"ce_{name}" for name in [*envelope["required"], "specversion"]],
    }
