"""What was answered before anybody asks: options, the environment, and the ``.env`` file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from connector.environment import SettingsError, read_variables
from connector.setup.env_file import read_values
from connector.setup.questions import normalize


@dataclass(frozen=True, slots=True)
class Given:
    """Answers by variable. Options go before the environment, and that before the file.

    ``environ`` and ``options`` hold secrets, so nothing here is ever shown.
    """

    options: Mapping[str, str] = field(repr=False)
    environ: Mapping[str, str] = field(repr=False)
    env_path: Path

    def read(self) -> dict[str, str]:
        """Every variable that is set, also those of files that hold secrets.

        Raises:
            SettingsError: a file that holds a secret cannot be read.
        """
        problems: list[str] = []
        values = read_variables(self.environ, self.env_path, problems)
        if problems:
            raise SettingsError(problems)
        return {**values, **self.options}

    def find_changes(self, wanted: Mapping[str, str]) -> dict[str, str]:
        """What has to be written into ``.env`` so that ``wanted`` holds.

        A secret that comes from a file of its own stays there.

        Raises:
            SettingsError: something that goes before ``.env`` says otherwise.
        """
        problems = [*self._find_conflicts(wanted)]
        if problems:
            raise SettingsError(problems)
        in_file, apart = read_values(self.env_path), self._read_apart()
        return {
            name: value
            for name, value in wanted.items()
            if normalize(name, in_file.get(name, "")) != value and apart.get(name) != value
        }

    def find_overwritten(self, changes: Mapping[str, str]) -> list[str]:
        """Those among the changes that ``.env`` says otherwise today."""
        in_file = read_values(self.env_path)
        return [name for name in changes if name in in_file]

    def _find_conflicts(self, wanted: Mapping[str, str]) -> Iterator[str]:
        apart = self._read_apart()
        for name, value in wanted.items():
            if normalize(name, self.environ.get(name, value)) not in (value, ""):
                yield (
                    f"{name}: the environment says otherwise, and goes before .env. "
                    "Change it there, or take it away"
                )
            elif apart.get(name, value) != value:
                yield f"{name}: the file that {name}_FILE names says otherwise. Change it there"

    def _read_apart(self) -> dict[str, str]:
        """The secrets that come from files of their own."""
        values = read_variables(self.environ, self.env_path, [])
        in_file = read_values(self.env_path)
        return {
            name: value
            for name, value in values.items()
            if not self.environ.get(name, "").strip() and name not in in_file
        }
