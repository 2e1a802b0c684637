"""Kafka's properties, as they are written for a stack."""

from deploy.local import kafka
from deploy.local.kafka import Proxied


def test_a_listener_behind_a_proxy_tells_the_proxys_port():
    lines = kafka.with_listeners(kafka.PROPERTIES, {"SEATS": Proxied(port=1, told=2)}).splitlines()
    found = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    assert found["listeners"].endswith(",SEATS://127.0.0.1:1")
    assert found["advertised.listeners"].endswith(",SEATS://127.0.0.1:2")
    assert found["listener.security.protocol.map"].endswith(",SEATS:PLAINTEXT")


def test_without_proxies_nothing_is_changed():
    assert kafka.with_listeners(kafka.PROPERTIES, {}) == kafka.PROPERTIES
