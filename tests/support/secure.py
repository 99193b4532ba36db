"""A broker with TLS and with accounts, and certificates as a company makes them: an authority, and what it signed.

Validity is told in days before or after now, so that a certificate that has run out is one that was made so.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12
from cryptography.x509.oid import NameOID

from figbridge.sandbox import ports
from figbridge.sandbox.broker import Broker
from figbridge.sandbox.jvm import Jvm

STORE_PASSWORD = "store-password"
USER, PASSWORD = "figbridge", "right-horse-battery"
HERE = x509.IPAddress(ip_address("127.0.0.1"))
ELSEWHERE = x509.DNSName("another.example")


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


class Authority:
    """A certificate authority; its own certificate is in `NAME.pem`, which clients name as `ssl.ca.location`."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self.certificate = folder / f"{name}.pem"
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._own = self._signed(name, self._key, (-3, 30), x509.BasicConstraints(ca=True, path_length=0))
        self.certificate.write_bytes(self._own.public_bytes(Encoding.PEM))

    def sign(self, name: str, host: x509.GeneralName = HERE, days: tuple[int, int] = (-1, 10)) -> Path:
        """Return a key store with a server's key and its certificate, valid between two days."""
        key, store = ec.generate_private_key(ec.SECP256R1()), self.folder / f"{name}.p12"
        signed = self._signed(name, key, days, x509.SubjectAlternativeName([host]))
        lock = BestAvailableEncryption(STORE_PASSWORD.encode())
        store.write_bytes(pkcs12.serialize_key_and_certificates(b"server", key, signed, [self._own], lock))
        return store

    def _signed(
        self, name: str, key: ec.EllipticCurvePrivateKey, days: tuple[int, int], extension: x509.ExtensionType
    ) -> x509.Certificate:
        begins, ends = (datetime.now(UTC) + timedelta(days=d) for d in days)
        made = x509.CertificateBuilder().subject_name(_named(name)).issuer_name(_named(self.name))
        made = made.public_key(key.public_key()).serial_number(x509.random_serial_number())
        made = made.not_valid_before(begins).not_valid_after(ends).add_extension(extension, critical=False)
        return made.sign(self._key, SHA256())


class SecureBroker(Broker):
    """A broker that also listens with TLS and accounts, each kind of listener on a port of its own.

    `safe` has TLS and SCRAM; `plain` has TLS and PLAIN; `tls` has TLS only; `expired` and `misnamed` are as `safe`
    with a certificate that has run out, or is of another host.
    """

    LISTENERS = ("safe", "plain", "tls", "expired", "misnamed")

    def __init__(self, folder: Path, jvm: Jvm, authority: Authority) -> None:
        super().__init__(folder, jvm=jvm, heap_mb=512)
        self.at = {name: ports.free_port() for name in self.LISTENERS}
        good = authority.sign("broker")
        self.stores = dict.fromkeys(self.LISTENERS, good) | {
            "expired": authority.sign("expired", days=(-2, -1)),
            "misnamed": authority.sign("misnamed", ELSEWHERE),
        }

    def address_of(self, listener: str) -> str:
        """Return the address of one listener."""
        return f"127.0.0.1:{self.at[listener]}"

    def accounts(self) -> Sequence[str]:
        return ["--add-scram", f"SCRAM-SHA-512=[name={USER},password={PASSWORD}]"]

    def _settings(self) -> dict[str, object]:
        found = super()._settings()
        names = {n: n.upper() for n in self.LISTENERS}
        for key in ("listeners", "advertised.listeners"):
            found[key] = ",".join([str(found[key]), *(f"{up}://{self.address_of(n)}" for n, up in names.items())])
        kinds = [f"{up}:{'SSL' if n == 'tls' else 'SASL_SSL'}" for n, up in names.items()]
        found["listener.security.protocol.map"] = ",".join([str(found["listener.security.protocol.map"]), *kinds])
        for name in self.LISTENERS:
            prefix = f"listener.name.{name}."
            found[f"{prefix}ssl.keystore.location"] = self.stores[name]
            found[f"{prefix}ssl.keystore.password"] = STORE_PASSWORD
            found[f"{prefix}ssl.keystore.type"] = "PKCS12"
            if name == "tls":
                continue
            mechanism, module = (
                ("PLAIN", f'plain.PlainLoginModule required user_{USER}="{PASSWORD}"')
                if name == "plain"
                else ("SCRAM-SHA-512", "scram.ScramLoginModule required")
            )
            found[f"{prefix}sasl.enabled.mechanisms"] = mechanism
            found[f"{prefix}{mechanism.lower()}.sasl.jaas.config"] = f"org.apache.kafka.common.security.{module};"
        return found
