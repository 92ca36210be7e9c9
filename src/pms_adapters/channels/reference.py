"""The page about gateways, made from what their manifests say, so that it cannot say anything else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pmscore.channels.model.manifest import CallGroup, Lane, Manifest

__all__ = ["reference_page"]

_HEAD = """\
# Gateways to platforms

What each way to a platform can, how much of it was proved, and by what. This page is made from the manifests when the
site is built; how to connect stands under [Connect a property to a platform](../howto/channels.md).
"""


def reference_page(manifests: Iterable[Manifest]) -> str:
    """Return the page, gateways by name."""
    found = sorted(manifests, key=lambda each: each.gateway)
    lines = [_HEAD, "| gateway | platforms | standing |", "|---|---|---|"]
    lines += [f"| `{each.gateway}` | {_named(each.platforms)} | {each.standing.value} |" for each in found]
    for each in found:
        lines += ["", *_section(each)]
    return "\n".join(lines) + "\n"


def _section(manifest: Manifest) -> Iterator[str]:
    yield f"## {manifest.title}"
    yield ""
    yield f"`gateway`: `{manifest.gateway}`. Looks {manifest.horizon_days} days ahead."
    yield ""
    yield "| lane | standing | says |"
    yield "|---|---|---|"
    for lane in Lane:
        if lane not in manifest.lanes:
            continue
        fields = sorted(each.name.lower() for each in manifest.fields_of(lane))
        says = ", ".join(fields) or "fetched"
        yield f"| {lane.value} | {manifest.standing_of(lane).value} | {says} |"
    yield ""
    for name, text in _facts(manifest):
        yield f"- {name}: {text}"
    yield ""
    yield "What it was held to:"
    yield ""
    yield from (f"- {each}" for each in manifest.evidence)


def _facts(manifest: Manifest) -> Iterator[tuple[str, str]]:
    credentials = (
        f"`{each.name}`" + ("" if each.is_required else " (may be left out)") for each in manifest.credentials
    )
    yield "credentials", ", ".join(credentials) or "none"
    if manifest.partner_settings:
        settings = ", ".join(f"`{each.upper()}`" for each in manifest.partner_settings)
        yield "settings of the deployment", settings
    if manifest.base_urls:
        yield "addresses", ", ".join(f"`{name}` {url}" for name, url in sorted(manifest.base_urls.items()))
    yield "limits", "; ".join(map(_limit, manifest.calls)) or "none are published"
    if manifest.poll_seconds is not None:
        yield "asked for bookings", f"each {manifest.poll_seconds} s"
    can = {
        "prices by occupancy": manifest.has_occupancies,
        "reads back": manifest.reads_back,
        "lists its rooms": manifest.lists_rooms,
        "calls our address": manifest.hears,
        "reads a calendar of ours": manifest.exports_calendar,
    }
    yield "besides", ", ".join(name for name, is_so in can.items() if is_so) or "nothing"
    if manifest.left_to_platform:
        left = ", ".join(sorted(each.name.lower() for each in manifest.left_to_platform))
        yield "left to the platform's own settings", left


def _limit(group: CallGroup) -> str:
    windows = " and ".join(f"{each.calls} in {each.seconds} s" for each in group.windows)
    return f"{group.name} {windows or 'any number'}, {group.in_flight} at once"


def _named(platforms: Iterable[str]) -> str:
    return ", ".join(sorted(platforms))
