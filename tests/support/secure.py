"""A broker with TLS and with accounts, and certificates as a company makes them: an authority, and what it signed.

Made with keytool, which comes with the Java that the sandbox needs. Validity is told in days before or after now, so
that a certificate that has run out is one that was made so.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from figbridge.sandbox import java, ports
from figbridge.sandbox.broker import Broker
from figbridge.sandbox.jvm import Jvm

STORE_PASSWORD = "store-password"
HERE = "ip:127.0.0.1"
USER, PASSWORD = "figbridge", "right-horse-battery"


def _keytool(*words: str) -> str:
    program = java.find().home / "bin" / "keytool"
    call = [str(program), *words, "-storetype", "PKCS12", "-storepass", STORE_PASSWORD]
    return subprocess.run(call, check=True, capture_output=True, text=True).stdout


@dataclass(frozen=True)
class Authority:
    """A certificate authority in a folder of its own."""

    folder: Path
    name: str

    @classmethod
    def make(cls, folder: Path, name: str) -> Authority:
        """Make an authority with a certificate of its own, in `NAME.pem`."""
        made = cls(folder, name)
        _keytool("-genkeypair", "-keystore", str(made.store), "-alias", "ca", "-dname", f"CN={name}",
                 "-keyalg", "EC", "-startdate", "-3d", "-validity", "30", "-ext", "bc:c")  # fmt: skip
        made.certificate.write_text(_keytool("-exportcert", "-rfc", "-keystore", str(made.store), "-alias", "ca"))
        return made

    @property
    def store(self) -> Path:
        return self.folder / f"{self.name}.p12"

    @property
    def certificate(self) -> Path:
        """Return the file that clients name as `ssl.ca.location`."""
        return self.folder / f"{self.name}.pem"

    def sign(self, name: str, *, from_day: int = -1, days: int = 10, host: str = HERE) -> Path:
        """Return a key store with a server's key and its certificate, valid for `days` from `from_day` on."""
        store, asked, signed = (self.folder / f"{name}.{end}" for end in ("p12", "csr", "crt"))
        mine = ("-keystore", str(store), "-alias", "server")
        _keytool("-genkeypair", *mine, "-dname", f"CN={name}", "-keyalg", "EC")
        _keytool("-certreq", *mine, "-file", str(asked))
        when = ("-startdate", f"{from_day:+d}d", "-validity", str(days))
        _keytool("-gencert", "-keystore", str(self.store), "-alias", "ca", "-infile", str(asked),
                 "-outfile", str(signed), *when, "-ext", f"san={host}")  # fmt: skip
        _keytool("-importcert", "-noprompt", "-keystore", str(store), "-alias", "ca", "-file", str(self.certificate))
        _keytool("-importcert", *mine, "-file", str(signed))
        return store


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
            "expired": authority.sign("expired", from_day=-2, days=1),
            "misnamed": authority.sign("misnamed", host="dns:another.example"),
        }

    def address_of(self, listener: str) -> str:
        """Return the address of one listener."""
        return f"127.0.0.1:{self.at[listener]}"

    def accounts(self) -> list[str]:
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
