"""The events on Tyrsky's topics, and the way they travel: see ``topics`` for the map, ``codec`` for the messages."""
