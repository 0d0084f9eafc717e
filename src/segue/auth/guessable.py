"""Passwords that everybody tries first.

Not a list of ten thousand texts: the few hundred words that such lists consist of, and
what people do to them. A word in any case, with letters written as digits, with a number,
a year or signs around it, twice or backwards, or two of them in a row, is common; so are
rows of keys, runs of letters or digits, repetitions and dates. Every entry of the lists
of leaked passwords that is made like that is found, whichever number it ends with.
"""

from __future__ import annotations

import re
from itertools import pairwise

__all__ = ["is_common"]

_LONGEST = 40

_TEXT = """
aaron abby abigail access action adam admin administrator adrian albert alex alexander alexis alice alison allison
alpha amanda amber america american amour andrea andrew angel angela angels animal anna anthony anything apollo
apple april arsenal arthur ashley asshole august austin autumn azerty baby babygirl badboy bailey banana banner
barbara barcelona barney baseball basketball batman beach bear beautiful beaver beer benjamin berlin bigdog bird
birthday bitch black blackie blessed blink blizzard blowme blue bonnie booboo booger boomer boston boxer brandon
brandy brazil brian brooke brooklyn brother buddy bulldog buster butter butterfly butthead caitlin calvin camaro
cameron canada captain carlos carolina caroline carter casper cassie champion change changeme charles charlie
charlotte cheese chelsea cherry chester chevy chicago chicken chloe chocolate chris christ christian christina
christine christopher church claudia clemson cocacola coffee computer connor contrasena contraseña cookie cool
cooper corvette cowboy cowboys cream cricket crystal dakota dallas daniel daniela danielle david debbie december
default delta demo dennis destiny detroit devil diablo diamond doctor dog dolphin dolphins donald dragon drummer
eagle eagles edward einstein elephant elizabeth emily eminem enter eric evan everton falcon family fatima february
ferrari fire fish fishing flower flowers flyers football ford forever france francis frank freddy freedom friday
friend friends fucker fuckme fuckoff fuckyou gandalf garfield gateway geheim gemini genesis george germany giants
ginger god gold golden golf golfer google gordon grace green gregory guest guitar gunner hallo hammer hannah happy
harley harry haslo heart heather heaven hello hellokitty helpme heslo hockey hola holiday homer honda honey horse
hotdog house hunter hunting iceman iloveu iloveyou internet invalid isabella isabelle island italy jack jackie
jackson jaguar jake james january jasmine jason jasper jennifer jeremy jessica jessie jesus jesuschrist jetaime john
johnny johnson jonathan jordan joseph joshua juice julian july june junior justin karen katherine kathryn katie
kelly kennwort kermit kevin killer king kitten kitty knight lakers lauren leather legend leonardo letmein liberty
lincoln linda little liverpool login london louise love lovely loveme lover loveyou lozinka lucky lucy macbook
madison madrid maggie magic manager manchester marcus margaret maria marina marine mario mark marlboro martin master
matrix matthew maverick max maxwell melissa mercedes merlin metallica mexico michael michelle mickey midnight miller
monday money monica monkey monster morgan motdepasse mother mountain muffin murphy music mustang mypassword naruto
nascar natasha nathan nicholas nicole nintendo nirvana nissan nothing november october oliver olivia orange pamela
panther parker parola pass passport passw passwd password passwort patches patricia patrick peace peaches peanut
pepper pepsi peter phantom phoenix player please pokemon porsche power precious prince princess private purple pussy
qwerty rabbit rachel raiders rainbow ranger rangers realmadrid rebecca red redsox richard robert rock rocket rocky
ronaldo root rose runner russia ryan sabrina sailor salasana samantha sammy samson samsung samuel sandra saturday
saturn schatz scooby scooter scorpion scott secret senha september sergey service shadow shannon sharon shit sierra
sifre silver simple slayer smokey snoopy snowball soccer soleil sophia sophie spanky sparky spider spiderman spring
star starwars steelers stella stephanie stephen steven stupid success summer sunday sunflower sunny sunshine
superman superstar support sweet sweetie sydney system tarheels taylor teacher teamo tennis teresa test tester
testing texas thomas thunder tiffany tiger tigers tigger tinkerbell tomcat trigger trouble trustme trustno tucker
tuesday turtle tweety twitter unknown user vanessa venus victor victoria viking vincent virginia wachtwoord warrior
wednesday welcome whatever white william wilson winner winston winter wizard wolf wolverine xavier yamaha yankee
yankees yellow zachary zombie
"""
_WORDS = frozenset(_TEXT.split())

_ROWS = (
    "qwertyuiop", "asdfghjkl", "zxcvbnm", "azertyuiop", "qsdfghjklm", "qwertzuiop", "yxcvbnm", "1234567890",
    "abcdefghijklmnopqrstuvwxyz", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik", "1q2w3e4r5t6y7u8i9o0p", "q1w2e3r4t5y6u7i8o9p0",
    "qazwsxedcrfvtgbyhnujm", "147258369", "789456123", "741852963", "159753", "zaq12wsx", "1a2b3c4d5e6f",
    "a1b2c3d4e5f6",
)  # fmt: skip
_RUNS = (*_ROWS, *(each[::-1] for each in _ROWS))
_SHIFTED = str.maketrans("!@#$%^&*()", "1234567890")
_LEET = str.maketrans("0134578@$!|+", "oleastbasiit")
_AROUND = re.compile(r"^[\W\d_]{0,8}|[\W\d_]{0,8}$")
_DATE = re.compile(r"(?:\d{1,2}\D?\d{1,2}\D?(?:19|20)?\d\d|(?:19|20)\d\d\D?\d{1,2}\D?\d{1,2})")


def is_common(password: str) -> bool:
    """Return whether *password* is among those that are tried first; over 40 characters never.

    >>> [is_common(each) for each in ("P4ssw0rd!2024", "qwertzuiop", "a walk along the canal")]
    [True, True, False]
    """
    if len(password) > _LONGEST:
        return False
    text = password.casefold()
    return _is_repeated(text) or _is_run(text) or _DATE.fullmatch(text) is not None or _is_word(text)


def _is_repeated(text: str) -> bool:
    # A text that is a shorter one several times is found inside its double, not only at the ends.
    period = (text + text).find(text, 1)
    if period == len(text):
        return False
    part = text[:period]
    return period <= 3 or _is_run(part) or _is_word(part)


def _is_run(text: str) -> bool:
    """Whether it is read off the keys: one row of them, or several pieces of three or more."""
    plain = re.sub(r"[\W_]", "", text.translate(_SHIFTED) if not text.isalnum() else text)
    steps = {ord(after) - ord(before) for before, after in pairwise(plain)}
    squeezed = re.sub(r"(.)\1+", r"\1", plain)
    return len(plain) > 2 and (steps <= {0} or _consists_of_runs(plain) or _consists_of_runs(squeezed))


def _consists_of_runs(text: str) -> bool:
    while text:
        size = next((size for size in range(len(text), 2, -1) if any(text[:size] in run for run in _RUNS)), 0)
        if not size:
            return False
        text = text[size:]
    return True


def _is_word(text: str) -> bool:
    forms = {text, text.translate(_LEET), text.translate(_LEET).replace("1", "i")}
    cores = {_AROUND.sub("", form) for form in forms} | {_AROUND.sub("", text).translate(_LEET)}
    cores |= {re.sub(r"[\W_]", "", core) for core in cores} | {core[::-1] for core in cores}
    return any(_is_made_of_words(core) for core in cores)


def _is_made_of_words(core: str) -> bool:
    if core in _WORDS:
        return True
    return any(core[:cut] in _WORDS and core[cut:] in _WORDS for cut in range(2, len(core) - 1))
