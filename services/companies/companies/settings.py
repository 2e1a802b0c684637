"""What a deployment of companies may change."""

from pydantic import Field
from tyrsky import settings
from tyrsky.settings import HttpAddress

from companies.ytj_api import ADDRESS, Asking


class Settings(settings.Settings):
    """How the business register's open API is asked, and when."""

    register_api: HttpAddress = Field(
        default=ADDRESS, description="The business register's open API (YTJ version 3), without a closing slash."
    )
    register_api_per_second: float = Field(
        default=1, gt=0, le=10, description="Requests that it is asked in a second at most; it is everybody's."
    )
    register_api_seconds: float = Field(
        default=30, gt=0, le=300, description="How long one answer of it may take, to its last byte."
    )
    register_api_attempts: int = Field(
        default=5, ge=1, le=20, description="How often one request is tried, with growing pauses."
    )
    register_refresh_hour: int = Field(
        default=-1,
        ge=-1,
        le=23,
        description="Hour (UTC) from which on, each day, the companies in care are refreshed from it; -1: never.",
    )
    register_refresh_max: int = Field(
        default=20_000, ge=1, le=1_000_000, description="Companies that one day's refresh asks for at most."
    )
    register_answer_seconds: int = Field(
        default=72_000,
        ge=0,
        le=2_592_000,
        description="How long an answer about a company counts: it is not asked for again before.",
    )

    @property
    def register_asking(self) -> Asking:
        """How the open API is asked."""
        return Asking(
            address=self.register_api,
            per_second=self.register_api_per_second,
            seconds=self.register_api_seconds,
            attempts=self.register_api_attempts,
        )
