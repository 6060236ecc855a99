"""Certificates for tests: an authority of their own, with whatever names and dates a test needs."""

import datetime
import ipaddress
import ssl
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOUR = datetime.timedelta(hours=1)


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def subject(name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def general_name(name):
    if "://" in name:
        return x509.UniformResourceIdentifier(name)
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def load(context, certificate, key):
    """Makes the context present a certificate, PEM."""
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(certificate + key)
        file.flush()
        context.load_cert_chain(file.name)


class Pair:
    """A certificate and its key, PEM."""

    def __init__(self, certificate, key):
        self.serial = certificate.serial_number
        self.certificate = certificate.public_bytes(serialization.Encoding.PEM).decode()
        self.key = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                     serialization.NoEncryption()).decode()

    def server_context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        load(context, self.certificate, self.key)
        return context


class Authority:
    def __init__(self):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = subject("authority of a test")
        self.pem = self.sign(self.name, self.key, x509.BasicConstraints(True, 0), now() - HOUR, now() + 24 * HOUR,
                             []).public_bytes(serialization.Encoding.PEM).decode()

    def sign(self, name, key, constraints, begin, end, names, *more):
        builder = (x509.CertificateBuilder().subject_name(name).issuer_name(self.name)
                   .public_key(key.public_key()).serial_number(x509.random_serial_number())
                   .not_valid_before(begin).not_valid_after(end).add_extension(constraints, True))
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName([general_name(each) for each in names]), False)
        for extension in more:
            builder = builder.add_extension(extension, False)
        return builder.sign(self.key, hashes.SHA256())

    def issue(self, *names, begin=None, end=None, curve=None, more=()):
        key = ec.generate_private_key(curve or ec.SECP256R1())
        return Pair(self.sign(subject(names[0]), key, x509.BasicConstraints(False, None), begin or now() - HOUR,
                              end or now() + 24 * HOUR, names, *more), key)

    def issue_unwanted(self, *names):
        """One that is sound but for Envoy, which wants a stapled answer with it."""
        return self.issue(*names, more=[x509.TLSFeature([x509.TLSFeatureType.status_request])])

    def client_context(self, protocols=("http/1.1",)):
        context = ssl.create_default_context(cadata=self.pem)
        if protocols:
            context.set_alpn_protocols(list(protocols))
        return context


def serial_of(tls_socket):
    return x509.load_der_x509_certificate(tls_socket.getpeercert(binary_form=True)).serial_number
