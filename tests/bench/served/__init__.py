"""The companies service as the benchmarks run it: its own commands and lists, on a topic that nobody else reads."""
