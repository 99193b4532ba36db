"""Look at a broker's port from outside, to say why a client does not get in.

librdkafka tells every certificate that it does not accept in the same words, and says of a port that speaks another
protocol only that it is down. So the port is asked once more, with Python's own TLS and one request of Kafka's.
"""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

_WAIT_S: Final = 3.0
_API_VERSIONS: Final = struct.pack(">ihhih", 10, 18, 0, 7, -1)  # length, which request, version, a number, no name

_NO_AUTHORITY: Final = (2, 18, 19, 20, 21)
_CLOCK: Final = "its owner must replace it: openssl s_client -connect {0} </dev/null | openssl x509 -noout -dates"


class Trouble(NamedTuple):
    """Why a port cannot be used. `lasting`: waiting does not help."""

    says: str
    hint: str
    lasting: bool = True


def trouble_at(server: str, security: Mapping[str, Any]) -> Trouble | None:
    """Return why a broker's `host:port` cannot be used with these settings of librdkafka; None when nobody can say."""
    name, _, port = server.rpartition("://")[2].strip().rpartition(":")
    host, number = (name.strip("[]"), int(port)) if name and port.isdecimal() else (f"{name}{port}", 9092)
    wants_tls = str(security.get("security.protocol", "plaintext")).lower().endswith("ssl")
    try:
        if wants_tls:
            _shake_hands(host, number, _context(security))
            return None
        if _speaks_kafka(host, number):
            return None
        _shake_hands(host, number, _anybody())
        return Trouble(f"{server} speaks TLS, and the settings do not", "set security.protocol under kafka.security")
    except ssl.SSLCertVerificationError as error:
        return _distrust(error, server)
    except socket.gaierror:
        return Trouble(f"no address is known for {host}", "check kafka.servers", lasting=False)
    except (ConnectionRefusedError, TimeoutError) as error:
        why = "nobody listens" if isinstance(error, ConnectionRefusedError) else "no answer"
        return Trouble(f"{server}: {why}", "check kafka.servers, and that a broker runs", lasting=False)
    except OSError:  # SSLError as well: what answers, or hangs up, is not TLS
        if wants_tls and _speaks_kafka(host, number):
            return Trouble(
                f"{server} does not speak TLS, and the settings demand it", "name the port with TLS in kafka.servers"
            )
        return None


def _distrust(error: ssl.SSLCertVerificationError, server: str) -> Trouble:
    match error.verify_code:
        case 10:
            return Trouble(f"the certificate of {server} has expired", _CLOCK.format(server))
        case 9:
            return Trouble(f"the certificate of {server} is not valid yet", _CLOCK.format(server))
        case 62 | 64:
            hint = "name the broker in kafka.servers as its certificate does"
            return Trouble(f"the certificate of {server} is of another host", hint)
        case code if code in _NO_AUTHORITY:
            hint = "set ssl.ca.location under kafka.security to the certificate of the authority that signed it"
            return Trouble(f"the certificate of {server} is of an authority that is not trusted here", hint)
    why = error.verify_message or "it cannot be verified"
    return Trouble(f"the certificate of {server} is not accepted: {why}", "check it, and ssl.ca.location")


def _context(security: Mapping[str, Any]) -> ssl.SSLContext:
    """Return how librdkafka would look at a certificate."""
    place, text = str(security.get("ssl.ca.location", "")), security.get("ssl.ca.pem")
    folder = place if Path(place).is_dir() else None
    file = place if place not in ("", "probe") and folder is None else None
    context = ssl.create_default_context(cafile=file, capath=folder if place else None, cadata=text)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # stricter than librdkafka
    if str(security.get("ssl.endpoint.identification.algorithm", "https")).lower() == "none":
        context.check_hostname = False
    if str(security.get("enable.ssl.certificate.verification", "true")).lower() == "false":
        return _anybody()
    return context


def _anybody() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # nothing is sent: it is only seen whether the port speaks TLS
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _shake_hands(host: str, port: int, context: ssl.SSLContext) -> None:
    with socket.create_connection((host, port), _WAIT_S) as raw, context.wrap_socket(raw, server_hostname=host):
        pass


def _speaks_kafka(host: str, port: int) -> bool:
    """Say whether a port answers Kafka's first request without TLS."""
    with socket.create_connection((host, port), _WAIT_S) as raw:
        try:
            raw.sendall(_API_VERSIONS)
            return raw.recv(8)[4:] == _API_VERSIONS[8:12]
        except OSError:
            return False
