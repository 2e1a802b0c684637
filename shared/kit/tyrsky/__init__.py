"""The kit: what every Tyrsky service is made of. ``docs/architecture/kit.md`` says which modules a service imports."""
