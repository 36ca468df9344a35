"""`appliance remote-stop`: stop an appliance over MQTT, as its button would, and see it stopped.

Runs on the owner's computer: the private key has no business on the appliance.
"""

import argparse
import sys
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.core.clock import NANOSECONDS_PER_MILLISECOND, SystemClock
from appliance.core.errors import ConfigError
from appliance.core.key_files import write_key_pair
from appliance.core.seal import private_key_from
from appliance.core.secret import Secret, read_secret
from appliance.reporting.monitor.fleet import Fleet
from appliance.reporting.monitor.listening import Ear
from appliance.reporting.mqtt.login import add_login, broker_in
from appliance.reporting.mqtt.topics import Topics
from appliance.safety.remote_stop import message_of, words_of

_KEYGEN = "keygen"
_PURPOSE = "stop"
_AGAIN_S = 2.0
_TURN_S = 0.05
_EXIT_UNTOLD = 1
_EXIT_UNHEARD = 2


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.usage = (
        "appliance remote-stop keygen --out DIR\n"
        "       appliance remote-stop URL --device NAME --signing-key stop-private.key [--wait S]"
    )
    parser.add_argument("broker", metavar="keygen|URL", help="make a key, or the broker: mqtts://broker.example")
    parser.add_argument("--out", type=Path, metavar="DIR", help="the folder for the keys")
    parser.add_argument("--device", metavar="NAME", help="the appliance's device.name")
    parser.add_argument("--signing-key", type=Path, metavar="FILE", help="the private key to sign with")
    parser.add_argument("--base", default="bot4-edge", metavar="TOPIC", help="its mqtt.base_topic (%(default)s)")
    parser.add_argument(
        "--wait", type=float, default=30.0, metavar="S", help="say it again for so long until it is seen (%(default)s)"
    )
    add_login(parser)


def run(arguments: argparse.Namespace) -> int:
    """Make a key pair, or stop an appliance and tell whether it was seen to stop."""
    if arguments.broker == _KEYGEN:
        return _keygen(arguments)
    if arguments.device is None or arguments.signing_key is None:
        raise ConfigError("to stop an appliance, give --device and --signing-key")
    key = private_key_from(read_secret(arguments.signing_key), _PURPOSE)
    topics = Topics(arguments.base, arguments.device)
    ear = Ear(broker_in(arguments), topics.root)
    ear.start()
    try:
        stopped = _stop(ear, topics, key, arguments.wait)
    finally:
        ear.stop()
    if not ear.subscribed:
        print(f"appliance: {arguments.broker} was not reached: {ear.problem}", file=sys.stderr)
        return _EXIT_UNHEARD
    if not stopped:
        print(f"NOT SEEN TO STOP: {arguments.device} said nothing of it within {arguments.wait:g} s; press its button")
        return _EXIT_UNTOLD
    print(f"{arguments.device} is stopped; only a person at the box can start it again")
    return 0


def _keygen(arguments: argparse.Namespace) -> int:
    if arguments.out is None:
        raise ConfigError("say with --out into which folder the keys go")
    made = write_key_pair(arguments.out, _PURPOSE)
    print(f"{made.private}: stops the appliance; keep it secret, keep it off the appliance")
    print("in the appliance's appliance.toml:")
    print(f'[safety]\nremote_stop_key = "{made.verifying.hex()}"')
    return 0


def _stop(ear: Ear, topics: Topics, key: Secret, wait_s: float) -> bool:
    """Say it until the appliance tells, freshly, that its stop is latched."""
    fleet, signer = Fleet(topics.base), Ed25519PrivateKey.from_private_bytes(bytes.fromhex(key.reveal()))
    begun_s = time.monotonic()
    said_s: float | None = None
    while time.monotonic() - begun_s < wait_s:
        for topic, payload, retained in ear.heard():
            # What the broker had kept says nothing of now.
            if said_s is not None and not retained and topic == topics.state:
                fleet.take(topic, payload, retained=retained, now_ns=time.monotonic_ns())
        one = fleet.appliances.get(topics.device)
        if one is not None and one.state is not None and one.state.estop:
            return True
        if ear.subscribed and (said_s is None or time.monotonic() - said_s > _AGAIN_S):
            said_s = time.monotonic()
            signed = words_of(topics.device, SystemClock().wall_ns() // NANOSECONDS_PER_MILLISECOND)
            ear.say(topics.stop, message_of(signed, signer.sign(signed)))
        time.sleep(_TURN_S)
    return False
