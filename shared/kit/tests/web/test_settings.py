"""Settings: wrong ones are named and never shown; all are described, in the code and on the page."""

from pathlib import Path

import pytest
from pydantic import Field, SecretStr
from tyrsky import pages, settings
from tyrsky.settings import Settings, SettingsWrong

ROOT = Path(__file__).parents[4]

GOOD = {"COLLEGES": '["vaao"]', "OIDC_ISSUER": "http://localhost:8180/realms/tyrsky/"}


class Own(Settings):
    """A service's own."""

    api_key: SecretStr = Field(default=SecretStr(""), description="A key.")


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_they_come_from_the_environment(environment: pytest.MonkeyPatch):
    environment.setenv("HTTP_PORT", "8101")
    environment.setenv("API_KEY", "hidden")
    found = Own()
    assert found.colleges == {"vaao"}
    assert (found.http_port, found.api_key.get_secret_value()) == (8101, "hidden")
    assert found.oidc_issuer == "http://localhost:8180/realms/tyrsky"
    assert "hidden" not in repr(found)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("HTTP_PORT", "secret-of-mine", "HTTP_PORT: Input should be a valid integer"),
        ("HTTP_PORT", "0", "HTTP_PORT: Input should be greater than or equal to 1"),
        ("COLLEGES", "[]", "COLLEGES: "),
        ("COLLEGES", '["VAAO"]', "COLLEGES.0: String should match pattern"),
        ("COLLEGES", "secret-of-mine", 'error parsing value for field "colleges"'),
        ("OIDC_ISSUER", "ftp://secret-of-mine", "OIDC_ISSUER: "),
        ("OIDC_ALGORITHMS", '["HS256"]', "OIDC_ALGORITHMS.0: "),
        ("TRACES_EXPORTER", "secret-of-mine", "TRACES_EXPORTER: Input should be 'none', 'zipkin' or 'otlp'"),
    ],
)
def test_a_wrong_one_is_named_and_not_shown(environment: pytest.MonkeyPatch, name: str, value: str, said: str):
    environment.setenv(name, value)
    with pytest.raises(SettingsWrong) as wrong:
        Settings()
    assert said in str(wrong.value)
    assert "secret-of-mine" not in str(wrong.value)


def test_a_missing_one_is_named(environment: pytest.MonkeyPatch):
    environment.delenv("OIDC_ISSUER")
    with pytest.raises(SettingsWrong, match="OIDC_ISSUER: Field required"):
        Settings()


def test_one_without_a_description_is_refused():
    class Silent(Settings):
        quiet: int = 1

    with pytest.raises(TypeError, match=r"Silent\.quiet has no description"):
        settings.table(Silent)


def test_the_page_of_settings_is_as_the_code_is():
    packages = sorted(path.parent.name for path in ROOT.glob("services/*/*/main.py"))
    page = ROOT / "docs/architecture/settings.md"
    assert page.read_text() == pages.settings_page(packages) + "\n", "run: tyrsky settings " + " ".join(packages)
