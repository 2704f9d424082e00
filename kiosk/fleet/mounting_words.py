"""The words of the installation sheet; what stands in braces is filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

LANGUAGES: Final = ("fi", "sv", "en")

EN: Final[Mapping[str, str]] = {
    "title": "Installation sheet",
    "product": "Hymiö feedback terminal",
    "panel": "Panel {wide} × {high} mm lit, {px} px · read from {distance} mm",
    "any": "Any device with this panel",
    "seated": "Seated",
    "standing": "Standing",
    "floor": "Floor, from above",
    "front": "Front, scale 1:{scale}",
    "scale": "Scale 1:{scale}",
    "zone": "controls",
    "reach": "reach",
    "distance": "to the eye",
    "free": "free floor",
    "turning": "turning space",
    "dot": "raised dot",
    "jack": "headphones 3.5 mm",
    "height": "Height",
    "height.measured": "The upper edge of the lit area is {top} mm above the floor, its lower edge"
    " {bottom} mm; {file} says so.",
    "height.advised": "Mount the upper edge of the lit area {top} mm above the finished floor; the"
    " lower edge is then at {bottom} mm. Measure it with the panel in place and write it into"
    " {file}, under [screen], as top_mm_above_floor\xa0=\xa0{plain}.",
    "height.low": "Controls reach above 1,100 mm. The access button therefore offers Lower down,"
    " which brings every control down to {highest} mm or less.",
    "height.reach": "Every control lies between {lowest} and {highest} mm.",
    "dot.head": "Raised dot and headphones",
    "dot.text": "A raised dot, about 2 mm high, on the frame: {left} mm left of the lit area and"
    " {up} mm above its lower edge. From the dot the middle of the access button is {across} mm to"
    " the right. The headphone socket is at the right side, low, and marked so that a finger finds"
    " it.",
    "room": "Room in front",
    "room.text": "Free, level floor of {wide} × {deep} mm and a turning circle of {turn} mm. At a"
    " desk: {knee} mm high and {kneedeep} mm deep free for knees, {toe} mm high and {toedeep} mm"
    " deep for feet, {wide} mm wide.",
    "light": "Light, tilt, cable",
    "light.text": "No window or lamp may mirror in the glass for somebody sitting or standing."
    " Tilt the upper edge back until both see the whole screen. Lead the cable behind the panel,"
    " never across the free floor. A keypad, if there is one, goes straight under the panel,"
    " within 300 mm of the front edge.",
    "check": "To tick after mounting",
    "check.1": "The height was measured and written into the configuration.",
    "check.2": "The free floor is free: no chair, bin, plant or mat.",
    "check.3": "A person in a wheelchair, or sitting on a chair, reaches every control.",
    "check.4": "The screen can be read from {sight} mm above the middle of the free floor.",
    "check.5": "Nothing mirrors in the glass, in daylight and with the lamps on.",
    "check.6": "The panel does not move when pressed; no cable hangs or lies in the way.",
    "check.7": "The raised dot is found with closed eyes, and the button to the right of it.",
    "check.8": "Hold the button by the dot for two seconds: it speaks.",
    "check.9": "Plug headphones in: it speaks in them, and the loudspeaker is silent.",
    "check.10": "The speech is understood in the noise of an ordinary day; louder and quieter"
    " work.",
    "check.11": "With a keypad: it works with one hand; the 5 is found by touch.",
    "check.12": "The organisation's contact on the privacy notice is right.",
    "fields": "Measured height, mm|Date|Name",
    "warn.lower": "A control lies {height} mm above the floor, beyond reach. Lower the panel by"
    " {by} mm.",
    "warn.raise": "A control lies {height} mm above the floor, too low. Raise the panel by {by}"
    " mm.",
    "sources": "Reach {low}–{high} mm, floor {wide} × {deep} mm, knees, feet, {sight} mm: EN 301"
    " 549 V3.2.1, 8.3.2–8.3.5; figures read in V1.1.2, 8.3.2–8.3.4. Controls 800–1,100 mm, keypad"
    " 300 mm: final draft V4.1.0, 8.3.5 and 8.3.7. Turning circle: Finnish building guidance."
    " Figures of people and the 2 mm dot are ours.",
}
FI: Final[Mapping[str, str]] = {
    "title": "Asennusohje",
    "product": "Hymiö-palautelaite",
    "panel": "Näyttö: kuva-ala {wide} × {high} mm, {px} px · katseluetäisyys {distance} mm",
    "any": "Kaikki laitteet, joissa on tämä näyttö",
    "seated": "Istuen",
    "standing": "Seisten",
    "floor": "Lattia ylhäältä",
    "front": "Edestä, mittakaava 1:{scale}",
    "scale": "Mittakaava 1:{scale}",
    "zone": "painikkeet",
    "reach": "ulottuvuus",
    "distance": "silmään",
    "free": "vapaa lattia",
    "turning": "kääntymistila",
    "dot": "kohomerkki",
    "jack": "kuulokkeet 3,5 mm",
    "height": "Korkeus",
    "height.measured": "Kuva-alan yläreuna on {top} mm ja alareuna {bottom} mm lattiasta. Näin on"
    " kirjattu tiedostoon {file}.",
    "height.advised": "Asenna kuva-alan yläreuna {top} mm:n korkeuteen valmiista lattiasta;"
    " alareuna on silloin {bottom} mm:ssä. Mittaa, kun näyttö on paikallaan, ja kirjaa tiedostoon"
    " {file} kohtaan [screen]: top_mm_above_floor\xa0=\xa0{plain}.",
    "height.low": "Painikkeita on yli 1\xa0100 mm:n korkeudella. Siksi"
    " helppokäyttöisyyspainikkeesta saa tilan Alemmas, joka tuo kaikki painikkeet enintään"
    " {highest} mm:n korkeuteen.",
    "height.reach": "Kaikki painikkeet ovat {lowest}–{highest} mm:n korkeudella.",
    "dot.head": "Kohomerkki ja kuulokkeet",
    "dot.text": "Noin 2 mm korkea kohomerkki kehykseen: {left} mm kuva-alasta vasemmalle ja {up}"
    " mm sen alareunasta ylöspäin. Merkistä helppokäyttöisyyspainikkeen keskelle on {across} mm"
    " oikealle. Kuulokeliitäntä on oikealla sivulla alhaalla ja merkitty niin, että sormi löytää"
    " sen.",
    "room": "Tila edessä",
    "room.text": "Vapaata, tasaista lattiaa {wide} × {deep} mm ja kääntöympyrä {turn} mm."
    " Pöydän alla vapaata: polville {knee} mm korkea ja {kneedeep} mm syvä, jaloille {toe} mm"
    " korkea ja {toedeep} mm syvä, leveys {wide} mm.",
    "light": "Valo, kallistus, johto",
    "light.text": "Ikkuna tai valaisin ei saa heijastua lasista istuvalle eikä seisovalle."
    " Kallista yläreunaa taaksepäin, kunnes molemmat näkevät koko näytön. Vie johto näytön takaa,"
    " ei koskaan vapaan lattian yli. Numeronäppäimistö, jos sellainen on, tulee suoraan näytön"
    " alle, enintään 300 mm etureunasta.",
    "check": "Tarkista asennuksen jälkeen",
    "check.1": "Korkeus on mitattu ja kirjattu asetuksiin.",
    "check.2": "Vapaa lattia on vapaa: ei tuolia, roskakoria, kasvia eikä mattoa.",
    "check.3": "Pyörätuolissa tai tuolilla istuva yltää kaikkiin painikkeisiin.",
    "check.4": "Näyttöä voi lukea {sight} mm:n korkeudelta vapaan lattian keskeltä.",
    "check.5": "Lasista ei heijastu mitään, ei päivänvalossa eikä lamppujen palaessa.",
    "check.6": "Näyttö ei liiku painettaessa; mikään johto ei roiku eikä ole tiellä.",
    "check.7": "Kohomerkki löytyy silmät kiinni, samoin painike sen oikealta puolelta.",
    "check.8": "Pidä merkin vieressä olevaa painiketta kaksi sekuntia: laite puhuu.",
    "check.9": "Kytke kuulokkeet: puhe kuuluu niistä, ja kaiutin on hiljaa.",
    "check.10": "Puheesta saa selvän tavallisen päivän melussa; voimakkuus säätyy.",
    "check.11": "Jos on numeronäppäimistö: se toimii yhdellä kädellä, 5\xa0löytyy sormin.",
    "check.12": "Tietosuojailmoituksessa on organisaation oikea yhteystieto.",
    "fields": "Mitattu korkeus, mm|Päivä|Nimi",
    "warn.lower": "Painike on {height} mm:n korkeudella, ulottumattomissa. Laske näyttöä {by} mm.",
    "warn.raise": "Painike on {height} mm:n korkeudella, liian alhaalla. Nosta näyttöä {by} mm.",
    "sources": "Ulottuvuus {low}–{high} mm, lattia {wide} × {deep} mm, polvet, jalat, {sight} mm:"
    " EN 301 549 V3.2.1, 8.3.2–8.3.5; luvut luettu versiosta V1.1.2, 8.3.2–8.3.4. Painikkeet"
    " 800–1\xa0100 mm, näppäimistö 300 mm: lopullinen luonnos V4.1.0, 8.3.5 ja 8.3.7."
    " Kääntöympyrä: suomalainen esteettömyysohje. Ihmishahmot ja 2 mm:n merkki ovat omiamme.",
}
SV: Final[Mapping[str, str]] = {
    "title": "Installationsblad",
    "product": "Responsterminalen Hymiö",
    "panel": "Skärm: bildyta {wide} × {high} mm, {px} px · läsavstånd {distance} mm",
    "any": "Alla enheter med den här skärmen",
    "seated": "Sittande",
    "standing": "Stående",
    "floor": "Golvet uppifrån",
    "front": "Framifrån, skala 1:{scale}",
    "scale": "Skala 1:{scale}",
    "zone": "knappar",
    "reach": "räckvidd",
    "distance": "till ögat",
    "free": "fritt golv",
    "turning": "vändyta",
    "dot": "upphöjd prick",
    "jack": "hörlurar 3,5 mm",
    "height": "Höjd",
    "height.measured": "Bildytans övre kant är {top} mm och den nedre {bottom} mm över golvet. Så"
    " står det i {file}.",
    "height.advised": "Montera bildytans övre kant {top} mm över det färdiga golvet; den nedre är"
    " då på {bottom} mm. Mät när skärmen är på plats och skriv i {file}, under [screen]:"
    " top_mm_above_floor\xa0=\xa0{plain}.",
    "height.low": "Det finns knappar högre än 1\xa0100 mm. Därför erbjuder tillgänglighetsknappen"
    " läget Lägre ned, som för ner alla knappar till högst {highest} mm.",
    "height.reach": "Alla knappar är på {lowest}–{highest} mm.",
    "dot.head": "Upphöjd prick och hörlurar",
    "dot.text": "En ungefär 2 mm hög prick på ramen: {left} mm till vänster om bildytan och {up}"
    " mm över dess nedre kant. Från pricken är det {across} mm åt höger till mitten av"
    " tillgänglighetsknappen. Hörlursuttaget sitter lågt på höger sida och är märkt så att ett"
    " finger hittar det.",
    "room": "Utrymme framför",
    "room.text": "Fritt, jämnt golv {wide} × {deep} mm och en vändcirkel på {turn} mm. Vid ett"
    " bord: {knee} mm högt och {kneedeep} mm djupt fritt för knän, {toe} mm högt och {toedeep} mm"
    " djupt för fötter, {wide} mm brett.",
    "light": "Ljus, lutning, kabel",
    "light.text": "Inget fönster och ingen lampa får speglas i glaset för den som sitter eller"
    " står. Luta den övre kanten bakåt tills båda ser hela skärmen. Dra kabeln bakom skärmen,"
    " aldrig över det fria golvet. En knappsats, om den finns, sitter rakt under skärmen, högst"
    " 300 mm från framkanten.",
    "check": "Att kryssa för efter monteringen",
    "check.1": "Höjden är uppmätt och inskriven i inställningarna.",
    "check.2": "Det fria golvet är fritt: ingen stol, papperskorg, växt eller matta.",
    "check.3": "Den som sitter i rullstol eller på en stol når alla knappar.",
    "check.4": "Skärmen kan läsas {sight} mm över mitten av det fria golvet.",
    "check.5": "Inget speglas i glaset, varken i dagsljus eller med lamporna tända.",
    "check.6": "Skärmen rör sig inte när man trycker; ingen kabel hänger eller är i vägen.",
    "check.7": "Pricken hittas med slutna ögon, liksom knappen till höger om den.",
    "check.8": "Håll knappen vid pricken intryckt i två sekunder: den talar.",
    "check.9": "Anslut hörlurar: den talar i dem, och högtalaren är tyst.",
    "check.10": "Talet hörs i en vanlig dags buller; högre och lägre fungerar.",
    "check.11": "Med knappsats: den fungerar med en hand; 5\xa0hittas med fingret.",
    "check.12": "Organisationens kontakt i dataskyddsmeddelandet är rätt.",
    "fields": "Uppmätt höjd, mm|Datum|Namn",
    "warn.lower": "En knapp är {height} mm över golvet, utom räckhåll. Sänk skärmen {by} mm.",
    "warn.raise": "En knapp är {height} mm över golvet, för lågt. Höj skärmen {by} mm.",
    "sources": "Räckvidd {low}–{high} mm, golv {wide} × {deep} mm, knän, fötter, {sight} mm: EN"
    " 301 549 V3.2.1, 8.3.2–8.3.5; talen lästa i V1.1.2, 8.3.2–8.3.4. Knappar 800–1\xa0100 mm,"
    " knappsats 300 mm: slutligt utkast V4.1.0, 8.3.5 och 8.3.7. Vändcirkel: finländsk"
    " bygganvisning. Människofigurerna och pricken på 2 mm är våra.",
}
WORDS: Final[Mapping[str, Mapping[str, str]]] = {"fi": FI, "sv": SV, "en": EN}
CHECKS: Final = 12


def number(value: float, language: str) -> str:
    """`1,100` or `1 100`, whole millimetres."""
    text = f"{value:,.0f}"
    return text if language == "en" else text.replace(",", "\xa0")
