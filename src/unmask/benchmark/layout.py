"""What all report pages have in common: the document, its header, its sections, lists of facts."""

from collections.abc import Mapping, Sequence
from importlib.resources import files

from unmask.benchmark.markup import Markup, join, tag


def document(
    title: str, header: Sequence[Markup | None], sections: Mapping[str, Markup | None]
) -> str:
    """Return a whole page with a table of contents; nothing on it is loaded from outside.

    Args:
        title: of the document.
        header: what stands above the contents.
        sections: by their headings; empty ones are left out.
    """
    parts = {heading: body for heading, body in sections.items() if body}
    links = [tag("li", tag("a", heading, href=f"#{_anchor(heading)}")) for heading in parts]
    body = [
        tag("header", *header, tag("nav", tag("ul", *links), aria_label="Contents")),
        tag("main", *(_section(heading, content) for heading, content in parts.items())),
        tag("footer", "Made by Unmask from its result files; nothing on this page is loaded "
            "from elsewhere."),
    ]  # fmt: skip
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    head = [
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("title", title),
        tag("style", Markup(files("unmask.benchmark").joinpath("page.css").read_text("utf-8"))),
    ]
    whole = tag("html", tag("head", *head), tag("body", *body), lang="en")
    return f"<!doctype html>\n{whole}\n"


def title_elements(
    title: str, summary: Sequence[str], *, protocol: str, measured: str, commit: str
) -> list[Markup]:
    """Return the heading of a page, what was done, and when and with which code.

    Args:
        title: the heading.
        summary: paragraphs on what was done.
        protocol: the name of the protocol.
        measured: UTC time in ISO format.
        commit: of the code.
    """
    return [
        tag("p", f"Unmask · {protocol} protocol", class_="kicker"),
        tag("h1", title),
        *(tag("p", one) for one in summary),
        tag("p", f"Measured {measured[:10]}, commit {commit[:12]}", class_="stamp"),
    ]


def key_element(figures: Sequence[tuple[str, str, str]]) -> Markup:
    """Return the few figures that matter most, each as its name, its value and a note."""
    return tag(
        "dl",
        *(
            tag("div", tag("dt", name), tag("dd", value, tag("small", note)))
            for name, value, note in figures
        ),
        class_="key",
    )


def facts_element(facts: Mapping[str, str]) -> Markup:
    """Return names with their values, one line each."""
    pairs = [
        join(tag("dt", name), tag("dd", tag("span", value, class_="mono")))
        for name, value in facts.items()
    ]
    return tag("dl", *pairs, class_="facts")


def lede(text: str) -> Markup:
    """Return the sentence that leads into a section."""
    return tag("p", text, class_="lede")


def _section(title: str, content: Markup) -> Markup:
    anchor = _anchor(title)
    heading = tag("h2", title, id=anchor)
    return tag("section", heading, content, aria_labelledby=anchor)


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")
