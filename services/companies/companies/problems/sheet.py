"""Refusals about sheets of companies."""

from tyrsky.catalogue import Problem, declare

declare(
    Problem(
        "sheet-wrong",
        422,
        fi="Taulukkoa ei voi lukea. Tallenna se CSV-muodossa (UTF-8), otsikkorivinä ainakin business_id.",
        sv="Kalkylarket kan inte läsas. Spara det som CSV (UTF-8), med åtminstone rubriken business_id.",
        en="The sheet cannot be read. Save it as CSV (UTF-8), with a head that has at least business_id.",
    ),
    Problem(
        "sheet-long",
        422,
        fi="Taulukossa on liikaa rivejä. Jaa se osiin ja lähetä ne yksi kerrallaan.",
        sv="Kalkylarket har för många rader. Dela det och skicka delarna en åt gången.",
        en="The sheet has too many rows. Divide it, and send the parts one at a time.",
    ),
    Problem(
        "sheet-column-unknown",
        422,
        fi="Taulukossa on tuntematon sarake. Poista se, tai määritä sille ensin kenttä (field.<avain>).",
        sv="Kalkylarket har en okänd kolumn. Ta bort den, eller definiera först ett fält för den (field.<nyckel>).",
        en="The sheet has a column that is not known. Take it away, or define a field for it first (field.<key>).",
    ),
    Problem(
        "row-wrong",
        422,
        fi="Rivillä on enemmän soluja kuin otsikoita, tai liian pitkä solu. Korjaa rivi.",
        sv="Raden har fler celler än det finns rubriker, eller en för lång cell. Rätta raden.",
        en="The row has more cells than there are heads, or one that is too long. Mend the row.",
    ),
    Problem(
        "row-twice",
        422,
        fi="Sama yritys on jo aiemmalla rivillä (row). Jätä toinen pois.",
        sv="Samma företag finns redan på en tidigare rad (row). Lämna bort den ena.",
        en="The same company is in an earlier row already. Leave one of them out.",
    ),
)
