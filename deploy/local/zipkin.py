"""Zipkin: where traces are sent and looked at, with the graph of which service calls which. Keeps them in memory."""

from deploy.local import jars
from deploy.local.part import JAVA, SMALL_JAVA, Part, answers
from deploy.local.stack import HOST, Stack

HEAP_MB = 192
SPANS_MAX = 100_000


def part(stack: Stack) -> Part:
    port = stack.ports["zipkin"]
    (jar,) = jars.paths("zipkin")
    return Part(
        name="zipkin",
        command=[
            *(JAVA, f"-Xmx{HEAP_MB}m", *SMALL_JAVA, "-jar", str(jar)),
            *(
                f"--armeria.ports[0].ip={HOST}",
                f"--armeria.ports[0].port={port}",
                "--armeria.ports[0].protocols[0]=http",
            ),
        ],
        env={"MEM_MAX_SPANS": str(SPANS_MAX), "SELF_TRACING_ENABLED": "false"},
        ready=lambda: answers(f"http://{HOST}:{port}/health"),
        ports=("zipkin",),
        prepare=lambda say: jars.fetch("zipkin", say),
        page=stack.url("zipkin", "/zipkin/"),
    )
