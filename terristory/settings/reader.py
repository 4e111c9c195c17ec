"""Typed values out of the environment; what is wrong is collected, never repeated."""

from collections.abc import Mapping

from limits import parse as parse_limit

PREFIX = "TERRISTORY_"


class SettingsError(ValueError):
    """The environment cannot be served from; `faults` names every setting at fault, never its value."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("Settings that cannot be used:\n" + "\n".join(f"- {fault}" for fault in faults))
        self.faults = faults


class Reader:
    """Reads typed values and collects the faults; the value of a faulty setting is never repeated."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.faults: list[str] = []

    def fault(self, name: str, why: str) -> None:
        self.faults.append(f"{PREFIX}{name} {why}")

    def text(self, name: str, default: str | None = None) -> str | None:
        return (self.environ.get(PREFIX + name) or "").strip() or default

    def whole(self, name: str, default: int, *, least: int = 1, most: int = 10**9) -> int:
        raw = self.text(name)
        if raw is None:
            return default
        if raw.isascii() and raw.isdigit() and least <= int(raw[:12]) <= most:
            return int(raw)
        self.fault(name, f"must be a whole number of at least {least}")
        return default

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        raw = self.text(name, default) or default
        if raw not in choices:
            self.fault(name, "must be one of: " + ", ".join(choices))
            return default
        return raw

    def switch(self, name: str, default: bool) -> bool:
        words = {
            "true": True,
            "on": True,
            "1": True,
            "yes": True,
            "false": False,
            "off": False,
            "0": False,
            "no": False,
        }
        raw = self.text(name)
        if raw is None:
            return default
        if raw.lower() not in words:
            self.fault(name, "must be true or false (on, off)")
            return default
        return words[raw.lower()]

    def limit(self, name: str, default: str) -> str:
        raw = self.text(name, default) or default
        try:
            parse_limit(raw)
        except ValueError:
            self.fault(name, "must look like 60/hour")
            return default
        return raw
