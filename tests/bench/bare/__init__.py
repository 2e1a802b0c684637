"""What B1's command would be without the kit: FastAPI and PyMongo alone, a read and a guarded write."""
