"""What the commands of this service have in common: where the store is, and where words go."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from pymongo import MongoClient, database
from pymongo.errors import PyMongoError
from rich.console import Console

says = Console(highlight=False, markup=False, soft_wrap=True)
complains = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)

MongoUri = Annotated[str, typer.Option(envvar="MONGO_URI", help="The MongoDB server.")]
Database = Annotated[str, typer.Option(envvar="MONGO_DATABASE", help="The companies service's database.")]


@contextmanager
def opened(mongo_uri: str, name: str) -> Generator[database.Database[dict[str, Any]]]:
    """The service's database; when it fails, that is said, and the command ends."""
    try:
        with MongoClient[dict[str, Any]](
            mongo_uri, serverSelectionTimeoutMS=5_000, w="majority", tz_aware=True
        ) as client:
            yield client[name]
    except PyMongoError as error:
        complains.print(f"The register's store failed ({type(error).__name__}). What was stored is kept; run it again.")
        raise typer.Exit(1) from error
