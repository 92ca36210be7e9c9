"""Which modules run, in which order, and why the others do not.

Owns the rules: one switch turns all off, each has its own, a name is taken once, whatever a module requires
must run before it, and modules that require each other in a circle are refused, all of them. Nothing here
raises: one bad module must not keep the others from running.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

from pmscore.modules.model import Feature, Manifest, ModuleState, ModuleStatus, Switches

__all__ = ["Resolved", "features_of", "resolved"]


@frozen
class Resolved:
    """What became of each module, by name; ``order`` has those that run, each after what it requires."""

    states: tuple[ModuleState, ...]
    order: tuple[str, ...]

    def is_on(self, name: str) -> bool:
        """Return whether a module runs."""
        return name in self.order


def resolved(
    manifests: Sequence[Manifest], switches: Switches, *, failures: Mapping[str, str] | None = None
) -> Resolved:
    """Decide over ``manifests``; where two have one name the first stands and the other is refused.

    ``failures`` are modules that could not be loaded or started, with the reason.
    """
    failures = failures or {}
    known: dict[str, Manifest] = {}
    states: list[ModuleState] = []
    for each in manifests:
        if each.name in known:
            states.append(_state(each, ModuleStatus.REFUSED, f"another module is called {each.name}, too"))
        else:
            known[each.name] = each
    verdicts = {name: _own_verdict(each, switches, failures) for name, each in known.items()}
    for name in _circular(known):
        if verdicts[name] is None:
            circle = ", ".join(sorted(_circular(known)))
            verdicts[name] = (ModuleStatus.REFUSED, f"requires itself in a circle ({circle})")
    order: list[str] = []
    for name in sorted(known):
        _settle(name, known, verdicts, order)
    for name, each in known.items():
        verdict = verdicts[name]
        states.append(_state(each, *(verdict or (ModuleStatus.ON, ""))))
    unloaded = [
        ModuleState(name=name, version="", status=ModuleStatus.FAILED, why=why)
        for name, why in failures.items()
        if name not in known
    ]
    return Resolved(tuple(sorted((*states, *unloaded), key=lambda each: each.name)), tuple(order))


def features_of(manifests: Sequence[Manifest], decided: Sequence[Feature]) -> tuple[Feature, ...]:
    """Return for each module that agencies have or not whether one has it: as decided, else as it is given."""
    by_name = {each.module: each for each in decided}
    return tuple(
        by_name.get(each.name, Feature(module=each.name, is_enabled=each.is_given))
        for each in sorted(manifests, key=lambda each: each.name)
        if each.is_for_agencies
    )


_Verdict = tuple[ModuleStatus, str] | None


def _own_verdict(manifest: Manifest, switches: Switches, failures: Mapping[str, str]) -> _Verdict:
    name = manifest.name
    flag = f"{name.upper()}_ENABLED"
    if not switches.are_modules_on:
        return ModuleStatus.OFF, "MODULES_ENABLED=false"
    if name in switches.by_name:
        is_on = switches.by_name[name]
        if is_on is None:
            return ModuleStatus.OFF, f"{flag} must be true or false"
        if not is_on:
            return ModuleStatus.OFF, f"{flag}=false"
    elif not manifest.is_on_by_default:
        return ModuleStatus.OFF, f"off by default; {flag}=true turns it on"
    if name in failures:
        return ModuleStatus.FAILED, failures[name]
    return None


def _settle(
    name: str, known: Mapping[str, Manifest], verdicts: dict[str, _Verdict], order: list[str]
) -> None:
    """Put a module into the order after what it requires, or say what it lacks; circles are refused before."""
    if name in order or verdicts[name] is not None:
        return
    for needed in known[name].requires:
        if needed not in known:
            verdicts[name] = (ModuleStatus.REFUSED, f"requires {needed}, which is not installed")
            return
        _settle(needed, known, verdicts, order)
        other = verdicts[needed]
        if other is not None:
            verdicts[name] = (ModuleStatus.OFF, f"requires {needed}, which is {other[0].value}")
            return
    order.append(name)


def _circular(known: Mapping[str, Manifest]) -> frozenset[str]:
    """Return the modules that require themselves through others."""
    return frozenset(name for name in known if name in _required(name, known))


def _required(name: str, known: Mapping[str, Manifest]) -> set[str]:
    found: set[str] = set()
    waiting = list(known[name].requires)
    while waiting:
        each = waiting.pop()
        if each not in found and each in known:
            found.add(each)
            waiting.extend(known[each].requires)
    return found


def _state(manifest: Manifest, status: ModuleStatus, why: str) -> ModuleState:
    return ModuleState(name=manifest.name, version=manifest.version, status=status, why=why)
