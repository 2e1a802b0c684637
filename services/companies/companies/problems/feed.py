"""Refusals about calendar feeds."""

from tyrsky.catalogue import Problem, declare

declare(
    Problem(
        "feed-unknown",
        404,
        fi="Kalenterisyötettä ei ole, tai sen linkki on peruttu. Tee uusi linkki.",
        sv="Kalenderflödet finns inte, eller så har länken återkallats. Gör en ny länk.",
        en="There is no such calendar feed, or its link was revoked. Make a new link.",
    ),
    Problem(
        "feed-of-somebody-else",
        403,
        fi="Kalenterisyöte on jonkun muun. Voit muuttaa vain omaasi.",
        sv="Kalenderflödet är någon annans. Du kan bara ändra ditt eget.",
        en="The calendar feed is somebody else's. You can change your own alone.",
    ),
)
