"""The example service of rooms and seats as the benchmarks run it: its commands, on a topic that nobody else reads."""
