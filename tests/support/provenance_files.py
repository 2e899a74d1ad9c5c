"""Pictures that say something of their origin, made by hand: EXIF, texts of PNG, XMP, and signed credentials."""

import datetime
import io
import struct
import zlib

from PIL import Image
from PIL.PngImagePlugin import PngInfo

NAMESPACES = {
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "TC260": "http://www.tc260.org.cn/ns/AIGC/1.0/",
}
SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
TRAINED = SOURCE_TYPES + "trainedAlgorithmicMedia"


def picture(kind="PNG", **options):
    """A grey picture of 40x40 pixels, as the bytes of a file of this kind."""
    buffer = io.BytesIO()
    Image.new("RGB", (40, 40), (120, 120, 120)).save(buffer, kind, **options)
    return buffer.getvalue()


def png_with(**texts):
    """A PNG with these texts, Latin-1 ones as tEXt and others as iTXt."""
    info = PngInfo()
    for keyword, text in texts.items():
        info.add_text(keyword, text)
    return picture(pnginfo=info)


def png_chunk(kind, body):
    """One chunk of a PNG, with its check sum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_with_chunk(kind, body):
    """A PNG with this chunk at its end, after the pixels."""
    return picture()[:-12] + png_chunk(kind, body) + png_chunk(b"IEND", b"")


def exif(*, taken=None, comment=None, gps=False, **tags):
    """EXIF with tags by Pillow's names, and the time, the user comment and a place in their own parts."""
    made = Image.Exif()
    numbers = {"Make": 271, "Model": 272, "Software": 305, "ImageDescription": 270, "Artist": 315, "HostComputer": 316}
    for name, value in tags.items():
        made[numbers[name]] = value
    part = made.get_ifd(0x8769)
    part |= {0x9003: taken} if taken else {}
    part |= {0x9286: comment} if comment else {}
    if gps:
        made.get_ifd(0x8825).update({1: "N", 2: (51.0, 28.0, 40.12), 3: "W", 4: (0.0, 0.0, 5.31)})
        part |= {0xA431: "SN-4711", 0xA430: "Jane Owner", 0xA435: "LENS-0815"}
    return made


def xmp(inside="", **attributes):
    """A packet with these attributes (`Iptc4xmpExt__DigitalSourceType`) and elements of the picture's description."""
    spaces = " ".join(f'xmlns:{prefix}="{address}"' for prefix, address in NAMESPACES.items())
    said = " ".join(f'{name.replace("__", ":")}="{value}"' for name, value in attributes.items())
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {spaces} {said}>{inside}</rdf:Description></rdf:RDF></x:xmpmeta>'
        '<?xpacket end="w"?>'
    ).encode()


def with_xmp(packet, kind):
    """A picture of this kind with an XMP packet."""
    if kind == "PNG":
        return png_with(**{"XML:com.adobe.xmp": packet.decode()})
    if kind == "GIF":
        trailer = b"\x01" + bytes(range(255, -1, -1)) + b"\0"
        return picture(kind)[:-1] + b"\x21\xff\x0bXMP DataXMP" + packet + trailer + b";"
    return picture(kind, xmp=packet) if kind != "TIFF" else picture(kind, tiffinfo={700: packet})


class Signer:
    """Signs pictures with a certificate made on the spot, in the name of an organisation and of a person."""

    def __init__(self, *, ocsp=None):
        from cryptography.hazmat.primitives import serialization as kept
        from cryptography.hazmat.primitives.asymmetric import ec

        root, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        issuer = _name("Throwaway Authority", "root")
        chain = (
            _certificate(_name("Throwaway Newsroom", "Jane Owner"), key, issuer, root, ocsp=ocsp),
            _certificate(issuer, root, issuer, root, authority=True),
        )
        self.chain = b"".join(certificate.public_bytes(kept.Encoding.PEM) for certificate in chain)
        self.key = key.private_bytes(kept.Encoding.PEM, kept.PrivateFormat.PKCS8, kept.NoEncryption())

    def sign(self, data, mime, *, source=TRAINED, remote=None):
        """The picture with embedded credentials, or with only the address of `remote` ones."""
        import c2pa

        action = {"action": "c2pa.created", "digitalSourceType": source, "softwareAgent": {"name": "Painter"}}
        manifest = {
            "claim_generator_info": [{"name": "Throwaway Painter", "version": "3"}],
            "assertions": [{"label": "c2pa.actions", "data": {"actions": [action]}}],
        }
        settings = {"builder": {"thumbnail": {"enabled": False}}, "verify": {"verify_after_sign": False}}
        info = c2pa.C2paSignerInfo(alg=b"es256", sign_cert=self.chain, private_key=self.key, ta_url=None)
        with c2pa.Context(c2pa.Settings.from_dict(settings)) as context, c2pa.Builder(manifest, context) as builder:
            if remote:
                builder.set_no_embed()
                builder.set_remote_url(remote)
            signed = io.BytesIO()
            builder.sign(c2pa.Signer.from_info(info), mime, io.BytesIO(data), signed)
        return signed.getvalue()


def _name(organisation, person):
    from cryptography import x509
    from cryptography.x509.oid import NameOID as names

    attribute = x509.NameAttribute
    return x509.Name([attribute(names.ORGANIZATION_NAME, organisation), attribute(names.COMMON_NAME, person)])


def _certificate(subject, key, issuer, issuer_key, *, authority=False, ocsp=None):
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509 import oid

    now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    unused = dict.fromkeys(("content_commitment", "key_encipherment", "data_encipherment"), False)
    unused |= dict.fromkeys(("key_agreement", "encipher_only", "decipher_only"), False)
    usage = x509.KeyUsage(digital_signature=not authority, key_cert_sign=authority, crl_sign=authority, **unused)
    builder = (
        x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number(), now - day, now + day)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if not authority:
        purpose = x509.ExtendedKeyUsage([oid.ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(purpose, critical=False)
    if ocsp:
        access = x509.AccessDescription(oid.AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(ocsp))
        builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())
