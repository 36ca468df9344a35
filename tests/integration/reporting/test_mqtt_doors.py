"""Who is let in, and where: encryption, certificates, passwords and access lists of a real mosquitto."""

import subprocess
from pathlib import Path

import pytest
from paho.mqtt.client import Client

from appliance.core.errors import ConfigError
from tests.integration.reporting.certificates import Authority
from tests.integration.reporting.loops import eventually
from tests.integration.reporting.mosquitto import Listener, Mosquitto, needs_mosquitto
from tests.integration.reporting.mqtt_parts import config_for, notes, publishing, run, sequences, trading
from tests.integration.reporting.scripted_trader import note

pytestmark = needs_mosquitto
CANARY = "canary-8f1d2c3b4a59"


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a path short enough for a socket."""
    return tmp_path_factory.mktemp("d")


def encrypted(folder: Path, authority: Authority, *, expired: bool = False) -> Mosquitto:
    """Return a broker with a certificate of an authority that asks its clients for one too."""
    certificate, key = authority.sign("server", expired=expired)
    return Mosquitto(
        folder,
        f"allow_anonymous true\ncafile {authority.file}\ncertfile {certificate}\nkeyfile {key}\n"
        "require_certificate true",
    )


def settings(broker: Mosquitto, trusted: Authority, client: tuple[Path, Path]) -> str:
    """Return MQTT settings for an encrypted broker."""
    return (
        f'broker = "mqtts://127.0.0.1:{broker.port}"\nca_file = "{trusted.file}"\n'
        f'certificate_file = "{client[0]}"\nkey_file = "{client[1]}"\n'
    )


def test_both_sides_know_each_other_by_certificate(folder: Path) -> None:
    """With the right authority and a client's certificate rows arrive encrypted; wrong if either was not asked for."""

    async def body() -> None:
        authority = Authority(folder, "ca")
        client = authority.sign("client")

        def show_certificate(listener: Client) -> None:
            listener.tls_set(str(authority.file), str(client[0]), str(client[1]))

        with encrypted(folder, authority) as broker, Listener(broker.port, show_certificate) as listener:
            config = config_for(folder, settings(broker, authority, client))
            async with trading(folder, notes(5)), publishing(config):
                await eventually(lambda: sequences(listener) == [1, 2, 3, 4, 5])

    run(body)


@pytest.mark.parametrize("fault", ["another authority", "expired", "a client of another authority"])
def test_a_certificate_that_does_not_fit_stops_everything(folder: Path, fault: str) -> None:
    """Nothing is sent to a broker, or taken from a client, whose certificate is wrong, and the rows wait; wrong if
    encryption failed open.
    """

    async def body() -> None:
        authority, stranger = Authority(folder, "ca"), Authority(folder, "stranger")
        client = (stranger if fault == "a client of another authority" else authority).sign("client")
        with encrypted(folder, authority, expired=fault == "expired") as broker:
            trusted = stranger if fault == "another authority" else authority
            config = config_for(folder, settings(broker, trusted, client))
            async with trading(folder, notes(5)), publishing(config) as desk:
                await eventually(lambda: desk.publisher.counters.failures >= 2)
                assert desk.publisher.counters.confirmed == 0
                assert desk.outbox.count == 5
                assert "Received PUBLISH" not in broker.log

    run(body)


def test_a_password_lets_in_and_shows_nowhere(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """With name and password rows arrive; with a wrong password none does, and the password is in no log, message or
    file of ours; wrong if it leaked, or a refused login were taken for success.
    """
    passwords = folder / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(passwords), "edge", CANARY], check=True)

    async def body() -> None:
        secret = folder / "secret"
        secret.write_text(CANARY)
        secret.chmod(0o600)
        with Mosquitto(folder, f"allow_anonymous false\npassword_file {passwords}") as broker:
            listening = Listener(broker.port, lambda client: client.username_pw_set("edge", CANARY))
            text = f'broker = "{broker.url}"\nusername = "edge"\npassword_file = "{secret}"\n'
            with listening as listener:
                async with trading(folder, notes(5)) as trader:
                    async with publishing(config_for(folder, text)) as desk:
                        await eventually(lambda: sequences(listener) == [1, 2, 3, 4, 5])
                        await eventually(lambda: desk.outbox.count == 0)
                    secret.write_text(CANARY + "-wrong")
                    trader.publish(note(6))
                    async with publishing(config_for(folder, text)) as desk:
                        await eventually(lambda: desk.publisher.counters.failures >= 2)
                        assert desk.publisher.counters.connections == 0
                        assert desk.outbox.count == 1
                told = b"".join(topic.encode() + payload for topic, payload, _ in listener.messages)
        written = b"".join(path.read_bytes() for path in (folder / "s").rglob("*") if path.is_file())
        assert CANARY.encode() not in told + written + caplog.text.encode() + broker.log.encode()

    run(body)


def test_an_access_list_that_forbids_is_said_and_nothing_is_lost(folder: Path) -> None:
    """A broker that takes the login but not the rows ends the connection and the rows wait until it is allowed; wrong
    if a refused row counted as delivered.
    """

    async def body() -> None:
        rules = folder / "acl"
        rules.write_text("topic readwrite homeassistant/#\ntopic read #\n")
        broker = Mosquitto(folder, f"allow_anonymous true\nacl_file {rules}")
        async with trading(folder, notes(5)), publishing(config_for(folder, f'broker = "{broker.url}"')) as desk:
            with broker:
                await eventually(lambda: desk.publisher.counters.refused > 0 and desk.publisher.counters.failures >= 2)
                assert desk.outbox.count == 5
            rules.write_text("topic readwrite #\n")
            with broker, Listener(broker.port) as listener:
                await eventually(lambda: sequences(listener)[-1:] == [5] and desk.outbox.count == 0)

    run(body)


def test_certificates_that_cannot_be_read_stop_the_start(folder: Path) -> None:
    """A file that is no certificate is named at the start; wrong if it showed as a connection that never works."""

    async def body() -> None:
        (folder / "ca").write_text("nothing")
        config = config_for(folder, f'broker = "mqtts://127.0.0.1:1"\nca_file = "{folder}/ca"')
        with pytest.raises(ConfigError, match="certificates cannot be used"):
            async with publishing(config):
                pass

    run(body)
