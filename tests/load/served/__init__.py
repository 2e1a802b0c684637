"""The example service under load: its rooms, a read model and a policy, on a topic that nobody else reads."""
