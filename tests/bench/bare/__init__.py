"""Floors of B8: FastAPI alone, and FastAPI with the clients that any service of such a platform has."""
