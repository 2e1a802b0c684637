"""What a deployment of companies may change."""

from pydantic import Field
from tyrsky import settings
from tyrsky.settings import HttpAddress
from tyrsky_contracts.event import CollegeCode


class Settings(settings.Settings):
    """Where people outside find the service, and what its colleges are called."""

    public_url: HttpAddress = Field(
        default="http://127.0.0.1:8080",
        max_length=200,
        description="The gateway's address as people outside see it: links in mails and of calendars begin with it.",
    )
    college_names: dict[CollegeCode, str] = Field(
        default={},
        description='Names of colleges on pages, as JSON: `{"vaao": "Valkeakosken ammattiopisto"}`; else their codes.',
    )

    def college_name(self, college: str) -> str:
        """What a college is called."""
        return self.college_names.get(college, college)
