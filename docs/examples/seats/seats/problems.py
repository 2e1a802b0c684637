"""How a request about rooms can be refused."""

from tyrsky.catalogue import Problem, declare

problems = declare(
    Problem("room-unknown", 404, fi="Huonetta ei ole.", sv="Rummet finns inte.", en="There is no such room."),
    Problem("room-already-open", 409, fi="Huone on jo avattu.", sv="Rummet är redan öppet.", en="It is open already."),
    Problem("room-full", 409, fi="Huone on täynnä.", sv="Rummet är fullt.", en="No seat is left in the room."),
    Problem("reservation-unknown", 404, fi="Varausta ei ole.", sv="Bokningen finns inte.", en="No such reservation."),
)
