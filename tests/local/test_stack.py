"""Ports and folders: each a setting, none shared."""

import pytest

from deploy.local import summary
from deploy.local.stack import Stack, port_setting


def test_every_port_is_a_setting():
    for name in Stack.of("default", {}).ports:
        moved = Stack.of("default", {port_setting(name, "default"): "5555"})
        assert [part for part, port in moved.ports.items() if port == 5555] == [name]


def test_all_profiles_run_beside_one_another():
    up, test, faults = (Stack.of(profile, {}) for profile in ("default", "test", "faults"))
    assert len({*up.ports.values(), *test.ports.values(), *faults.ports.values()}) == 3 * len(up.ports)
    assert len({up.folder, test.folder, faults.folder}) == 3


def test_moving_a_port_of_make_up_leaves_make_test_alone():
    moved = {port_setting("kafka", "default"): "5555"}
    assert Stack.of("test", moved).ports == Stack.of("test", {}).ports


@pytest.mark.parametrize("wrong", ["", "kafka", "0", "65536", "-1"])
def test_what_is_no_port_is_named(wrong: str):
    with pytest.raises(ValueError, match=r"TYRSKY_PORT_KAFKA.*is no port"):
        Stack.of("default", {"TYRSKY_PORT_KAFKA": wrong})


def test_a_moved_port_is_in_every_address_that_tests_get():
    moved = Stack.of("test", {"TYRSKY_TEST_PORT_KEYCLOAK": "5555"})
    assert moved.environment()["OIDC_ISSUER"] == "http://localhost:5555/realms/tyrsky"


def test_the_token_command_names_the_issuer_only_where_it_is_another():
    assert "--issuer" not in summary.addresses(Stack.of("default", {}))
    moved = Stack.of("default", {"TYRSKY_PORT_KEYCLOAK": "5555"})
    assert "--issuer http://localhost:5555/realms/tyrsky" in summary.addresses(moved)


def test_the_summary_has_the_partner_college_s_log_in():
    assert "tredu, password tredu-demo (Kafka, port 9094)" in summary.addresses(Stack.of("default", {}))


def test_copies_of_the_fault_rig_run_side_by_side():
    moved = {"TYRSKY_FAULTS_SHIFT": "500", "TYRSKY_FAULTS_DIR": "elsewhere"}
    one, other = Stack.of("faults", {}), Stack.of("faults", moved)
    assert not set(one.ports.values()) & set(other.ports.values())
    assert one.folder != other.folder
    assert other.ports["kafka"] == one.ports["kafka"] + 500


def test_no_port_of_the_fault_rig_is_one_that_systems_give_to_outgoing_connections():
    assert max(Stack.of("faults", {}).ports.values()) < 32_768
