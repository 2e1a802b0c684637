"""The example service as it is put under load: its rooms, a read model and a policy, on a topic that nobody else reads."""
