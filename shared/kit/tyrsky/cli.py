"""The command ``tyrsky``. A service adds its own commands by an entry point in the group ``tyrsky.commands``."""

from importlib.metadata import entry_points

import typer

from tyrsky import contracts_cli, dlq_cli, pages, project_cli, serving, token_cli, topics_cli, webhooks_cli

app = typer.Typer(no_args_is_help=True, pretty_exceptions_show_locals=False, help="Tyrsky's services and their upkeep.")

app.command()(serving.serve)
app.command()(token_cli.token)
app.command("settings")(pages.show_settings)
app.command("problems")(pages.show_problems)
app.add_typer(contracts_cli.app, name="contracts")
app.add_typer(topics_cli.app, name="topics")
app.add_typer(dlq_cli.app, name="dlq")
app.add_typer(project_cli.app, name="project")
app.add_typer(webhooks_cli.app, name="webhooks")

for _service in sorted(entry_points(group="tyrsky.commands"), key=lambda point: point.name):
    app.add_typer(_service.load(), name=_service.name)
