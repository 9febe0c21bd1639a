"""Settings come from the environment, then ``.env``, then ``hatchet.toml``."""

from __future__ import annotations

from pathlib import Path

import pytest

from hatchet_cli.exiting import CommandError, ExitCode
from hatchet_cli.settings.groups import REGISTRY
from hatchet_cli.settings.models import FileSettings
from hatchet_cli.settings.sources import Sources, read_sources


class Folder:
    """A working directory with files of settings."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.env_file = path / ".env"
        self.config = path / "hatchet.toml"

    def read(self, **environment: str) -> Sources:
        """Return what a process started here is told."""
        files = FileSettings.model_construct(
            _fields_set=set(), env_file=self.env_file, config=self.config
        )
        return read_sources(REGISTRY, environment, files)

    def refusal(self) -> str:
        """Return why no process can start here."""
        with pytest.raises(CommandError) as caught:
            self.read()
        assert caught.value.code is ExitCode.USAGE
        return str(caught.value).replace(f"{self.path}/", "")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_without_files_there_is_only_the_environment(folder: Folder) -> None:
    sources = folder.read(HATCHET_QUEUE="q")

    assert sources.added == {}
    assert sources.origin("HATCHET_QUEUE") == "environment"


def test_the_environment_goes_before_env_and_that_before_toml(folder: Folder) -> None:
    folder.env_file.write_text("HATCHET_QUEUE=env\nHATCHET_EXCHANGE=env\n")
    folder.config.write_text('queue = "toml"\nexchange = "toml"\nprefetch = 7\n')

    sources = folder.read(HATCHET_QUEUE="environment")

    assert sources.added == {"HATCHET_EXCHANGE": "env", "HATCHET_PREFETCH": "7"}
    assert sources.origin("HATCHET_EXCHANGE") == f"{folder.env_file}:2"
    assert sources.origin("HATCHET_PREFETCH") == str(folder.config)


def test_any_name_of_a_setting_goes_before_all_its_names_in_later_places(folder: Folder) -> None:
    """A platform's CLOUDAMQP_URL is not overruled by what a file says for development."""
    folder.env_file.write_text("HATCHET_AMQP_URL=amqp://dev/\n")

    assert folder.read(CLOUDAMQP_URL="amqp://platform/").added == {}


def test_an_empty_variable_is_none_if_it_is_one_of_ours(folder: Folder) -> None:
    folder.env_file.write_text("HATCHET_QUEUE=q\nTEMPORAL_ADDRESS=t:1\nTHEIRS=x\n")

    added = folder.read(HATCHET_QUEUE="", TEMPORAL_ADDRESS="", THEIRS="").added

    assert added == {"HATCHET_QUEUE": "q", "TEMPORAL_ADDRESS": "t:1"}


def test_env_files_are_read_as_others_read_them(folder: Folder) -> None:
    folder.env_file.write_text(
        "\ufeff# comment\nexport A='x y'\nB=\"${A}!\"\nC\nAWS_REGION=eu-central-1 # near\n"
    )

    assert folder.read().added == {"A": "x y", "B": "x y!", "AWS_REGION": "eu-central-1"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"HATCHET_QUEUE=q\n=x\n", ".env: line 2 is not NAME=value"),
        (b"A=\xff\n", ".env: is not UTF-8"),
    ],
)
def test_an_env_file_that_cannot_be_read_is_refused(
    folder: Folder, content: bytes, reason: str
) -> None:
    folder.env_file.write_bytes(content)

    assert folder.refusal() == reason


def test_a_file_that_is_named_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"gone\.env: there is no such file"):
        read_sources(REGISTRY, {}, FileSettings(env_file=tmp_path / "gone.env"))


def test_what_a_file_holds_does_not_show_by_accident(folder: Folder) -> None:
    folder.env_file.write_text("HATCHET_SECRET_TOKEN=hunter2\n")

    assert "hunter2" not in repr(folder.read())


def test_toml_spells_variables_by_tables(folder: Folder) -> None:
    folder.config.write_text(
        'more_exchanges = ["a"]\nreload = true\nhold_seconds = 1.5\n'
        '[vars]\nlimits = [1, 2]\nplace = {city = "Köln"}\n'
        '[log]\nlevel = "debug"\n'
        '[postmark]\nsender = "a@example.com"\n'
        '[temporal]\nnamespace = "orders"\ntls = true\n'
        '[temporal.grpc.meta]\ntenant = "x"\n'
    )

    assert folder.read().added == {
        "HATCHET_MORE_EXCHANGES": '["a"]',
        "HATCHET_RELOAD": "true",
        "HATCHET_HOLD_SECONDS": "1.5",
        "HATCHET_VARS": '{"limits": [1, 2], "place": {"city": "Köln"}}',
        "HATCHET_LOG_LEVEL": "debug",
        "HATCHET_POSTMARK_SENDER": "a@example.com",
        "TEMPORAL_NAMESPACE": "orders",
        "TEMPORAL_TLS": "true",
        "TEMPORAL_GRPC_META_TENANT": "x",
    }


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("prefech = 1", "there is no setting 'prefech': did you mean prefetch?"),
        (
            '[temporal]\nadress = "x"',
            "there is no setting 'temporal.adress': did you mean temporal.address?",
        ),
        ("zzz = 1", "there is no setting 'zzz'; docs/settings.md lists all"),
        ('queue = ["a"]', "queue: expected one value, not an array"),
        ("queue = 2026-01-01", "queue: dates are not known here: write it as a string"),
        ('log_level = "info"\n[log]\nlevel = "debug"', "log.level: is set twice"),
        ("[vars]\nday = 2026-01-01", "vars: dates are not known here: write it as a string"),
    ],
)
def test_what_cannot_be_meant_in_toml_is_an_error(folder: Folder, text: str, reason: str) -> None:
    folder.config.write_text(text)

    assert folder.refusal() == f"hatchet.toml: {reason}"


@pytest.mark.parametrize("text", ['secret_token = "x"', '[secret]\ntoken = "x"', 'secret = "x"'])
def test_secrets_do_not_stand_in_toml(folder: Folder, text: str) -> None:
    folder.config.write_text(text)

    assert "a secret does not belong in a file that others read" in folder.refusal()


def test_all_that_is_wrong_in_toml_is_told_at_once(folder: Folder) -> None:
    folder.config.write_text("prefech = 1\nquue = 2\n")

    assert len(folder.refusal().splitlines()) == 2


def test_what_is_no_toml_is_told_with_its_place(folder: Folder) -> None:
    folder.config.write_text("queue =\n")

    assert "hatchet.toml: Invalid value (at line 1, column 8)" in folder.refusal()


@pytest.mark.parametrize("name", ["HATCHET_CONFIG", "HATCHET_ENV_FILE"])
def test_a_file_cannot_say_which_files_there_are(folder: Folder, name: str) -> None:
    """They have been chosen by then: it would have no effect."""
    folder.env_file.write_text(f"{name}=other\n")
    by_env = folder.refusal()
    folder.env_file.write_text("")
    folder.config.write_text(f'{name.removeprefix("HATCHET_").lower()} = "other"\n')
    by_toml = folder.refusal()

    assert by_env == f".env:1: only the environment can set {name}"
    assert by_toml == f"hatchet.toml: only the environment can set {name}"


def test_no_value_holds_nul(folder: Folder) -> None:
    """No environment can hold it."""
    folder.env_file.write_text("HATCHET_QUEUE=a\0b\n")
    by_env = folder.refusal()
    folder.env_file.write_text("")
    folder.config.write_text('queue = "a\\u0000b"\n')
    by_toml = folder.refusal()

    assert by_env == ".env:1: HATCHET_QUEUE holds the character NUL"
    assert by_toml == "hatchet.toml: HATCHET_QUEUE holds the character NUL"


def test_no_name_holds_nul(folder: Folder) -> None:
    """Nor can it hold such a name."""
    folder.env_file.write_text("A=b\nHATCHET\0QUEUE=a\n")

    assert folder.refusal() == ".env:2: the name of a variable holds the character NUL"
