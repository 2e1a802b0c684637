"""How a request about companies can be refused, said so that whoever reads it knows what to do next."""

from tyrsky.catalogue import problems

from companies.problems import charting, company, contact, feed, potential, register, visit

__all__ = ["charting", "company", "contact", "feed", "potential", "problems", "register", "visit"]
