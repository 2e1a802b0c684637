"""What a deployment may change of its consumers. Part of every service's settings."""

from pydantic import BaseModel, ConfigDict, Field


class ConsumerSettings(BaseModel):
    """How much a consumer takes at a time, how long it is patient, and how much may wait."""

    model_config = ConfigDict(frozen=True)

    consumer_instance: str = Field(
        default="",
        max_length=100,
        description="Name of this instance, the same after a restart, so that Kafka keeps its partitions for it; "
        "empty gives them to the others at once.",
    )
    consumer_batch_max: int = Field(default=500, ge=1, le=10_000, description="Messages that are taken at a time.")
    consumer_batch_bytes_max: int = Field(
        default=8_000_000, ge=1_100_000, le=100_000_000, description="Bytes that are fetched at a time."
    )
    consumer_keys_at_once: int = Field(default=16, ge=1, le=500, description="Keys that policies take side by side.")
    consumer_event_seconds: float = Field(default=30, gt=0, le=300, description="Longest time that a policy may take.")
    consumer_attempts: int = Field(default=3, ge=1, le=10, description="Tries of an event before its key is parked.")
    consumer_failures_in_row_max: int = Field(
        default=10,
        ge=1,
        le=10_000,
        description="Keys that fail with no success between them until the consumer pauses.",
    )
    consumer_pause_seconds_max: float = Field(
        default=30, gt=0, le=240, description="Longest pause before a consumer tries again what all failed."
    )
    consumer_stall_seconds: float = Field(
        default=60,
        gt=0,
        le=3_600,
        description="A consumer with lag that makes no progress for so long is built anew.",
    )
    consumer_watch_seconds: float = Field(default=5, gt=0, le=300, description="Time between two looks at the lag.")
    parked_retry_seconds: float = Field(default=5, gt=0, le=3_600, description="Time to a parked key's first retry.")
    parked_retry_seconds_max: float = Field(
        default=900, gt=0, le=86_400, description="Longest such time; it doubles with every try."
    )
    parked_retries_max: int = Field(
        default=100, ge=0, le=10_000, description="Tries of a parked key; then it waits for `tyrsky dlq`."
    )
    letters_a_key_max: int = Field(default=1_000, ge=1, le=5_000, description="Dead letters of one key.")
    letters_a_key_bytes_max: int = Field(
        default=8_000_000, ge=1, le=12_000_000, description="Bytes of the dead letters of one key."
    )
    letters_max: int = Field(
        default=20_000, ge=1, le=1_000_000, description="Dead letters of a service; with more the consumers pause."
    )
