"""``tyrsky topics`` while Kafka is away."""

import pytest
from typer.testing import CliRunner
from tyrsky import topics_admin, topics_cli, topics_reading


@pytest.mark.parametrize("command", [["apply"], ["read", "companies"]])
def test_that_kafka_is_away_is_one_sentence_with_its_cause(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(topics_admin, "CONNECT_SECONDS", 1)
    monkeypatch.setattr(topics_reading, "ANSWER_SECONDS", 1)
    result = CliRunner().invoke(topics_cli.app, command, env={"KAFKA_BOOTSTRAP": "127.0.0.1:1", "OWN_SERVICES": ""})
    assert result.exit_code == 1
    assert result.output.startswith("Kafka at 127.0.0.1:1: ")
    assert "Connection refused" in result.output
    assert result.output.count("\n") == 1
    assert capfd.readouterr().err == ""  # the client's C library would write there itself
