"""HTML elements in which whatever is not itself an element is escaped."""

import re
from html import escape

VOID = ("br", "img", "meta", "wbr")  # elements that hold nothing and are not closed


class Markup(str):
    """Text that is HTML already; anything else that is set into an element is escaped."""

    __slots__ = ()


def tag(name: str, /, *children: object, **attributes: object) -> Markup:
    """Return an element; children that are no `Markup` are shown as text.

    Args:
        name: of the element.
        children: what stands in it, in order; None is left out.
        attributes: by name, with `class_` for `class` and `_` for `-`; None is left out.

    Example:
        >>> tag("p", "1 < 2", tag("br"), class_="note")
        '<p class="note">1 &lt; 2<br></p>'
    """
    told = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    start = f"<{name}{told}>"
    return Markup(start if name in VOID else f"{start}{join(*children)}</{name}>")


def join(*children: object) -> Markup:
    """Return elements and text one after the other."""
    return Markup(
        "".join(
            one if isinstance(one, Markup) else escape(str(one))
            for one in children
            if one is not None
        )
    )


def breakable(name: str) -> Markup:
    """Return a name that may be broken after an underscore, a hyphen or a slash.

    Example:
        >>> breakable("efficientnet_lite0")
        'efficientnet_<wbr>lite0'
    """
    first, *others = re.split(r"(?<=[_/-])(?=.)", name)
    return join(first, *(join(tag("wbr"), one) for one in others))
