"""X.509 as the sandbox needs it: two kinds of certificate, and whether one on disk is still good."""

import contextlib
import datetime as dt
import ipaddress
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sandbox.cluster.pki import Leaf, Pair
from sandbox.files import write_atomically

_AUTHORITY_LIFE = dt.timedelta(days=3650)
_LEAF_LIFE = dt.timedelta(days=365)
_RENEW_BEFORE = dt.timedelta(days=30)
# Certificates count from a little earlier, for clocks that were corrected in between.
_BACKDATE = dt.timedelta(hours=1)


def usable(pair: Pair, *, issuer: Pair) -> bool:
    """Whether a pair is complete, belongs together, comes from the issuer and lasts for a while."""
    with contextlib.suppress(OSError, ValueError, TypeError, InvalidSignature):
        certificate = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
        key = load_pem_private_key(pair.key.read_bytes(), password=None)
        certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(issuer.certificate.read_bytes()))
        lasts = certificate.not_valid_after_utc - dt.datetime.now(dt.UTC) > _RENEW_BEFORE
        return lasts and certificate.public_key() == key.public_key()
    return False


def make_authority(pair: Pair, name: str) -> None:
    """A new key with a certificate signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    usage = _key_usage(signs_certificates=True)
    builder = (
        _builder(subject, key, _AUTHORITY_LIFE)
        .issuer_name(subject)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    _write(pair, builder.sign(key, hashes.SHA256()), key)


def make_leaf(pair: Pair, leaf: Leaf, issuer: Pair) -> None:
    """A new key with a certificate signed by the issuer."""
    authority = x509.load_pem_x509_certificate(issuer.certificate.read_bytes())
    signer = load_pem_private_key(issuer.key.read_bytes(), password=None)
    if not isinstance(signer, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{issuer.key} is not a key that this sandbox made")
    key = ec.generate_private_key(ec.SECP256R1())
    groups = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in leaf.groups]
    subject = x509.Name([*groups, x509.NameAttribute(NameOID.COMMON_NAME, leaf.user)])
    builder = (
        _builder(subject, key, _LEAF_LIFE)
        .issuer_name(authority.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(_purposes(leaf)), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    if leaf.hosts:
        names = x509.SubjectAlternativeName([_general_name(host) for host in leaf.hosts])
        builder = builder.add_extension(names, critical=False)
    _write(pair, builder.sign(signer, hashes.SHA256()), key)


def make_signing_keys(pair: Pair) -> None:
    """A key to sign tokens with, and in place of a certificate the public key that verifies them."""
    key = ec.generate_private_key(ec.SECP256R1())
    _write_key(pair.key, key)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    write_atomically(pair.certificate, public.decode())


def _builder(
    subject: x509.Name, key: ec.EllipticCurvePrivateKey, life: dt.timedelta
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATE)
        .not_valid_after(now + life)
    )


def _purposes(leaf: Leaf) -> Sequence[x509.ObjectIdentifier]:
    served = [ExtendedKeyUsageOID.SERVER_AUTH] if leaf.hosts else []
    return [*served, ExtendedKeyUsageOID.CLIENT_AUTH] if leaf.client else served


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _write(pair: Pair, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    # The key first: a certificate without its key is seen as broken and made again.
    _write_key(pair.key, key)
    write_atomically(pair.certificate, certificate.public_bytes(Encoding.PEM).decode())


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    write_atomically(path, text, mode=0o600)
