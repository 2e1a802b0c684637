"""A college's own service: rooms, their seats, and who has one."""
