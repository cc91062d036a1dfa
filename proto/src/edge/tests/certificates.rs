//! What the authority signs, and what it does not.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    PKCS_ECDSA_P384_SHA384, PKCS_ED25519,
};
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

use super::region::{REGION, Region, uri, who};
use crate::edge::dial::dial_mutual;
use crate::edge::pem;
use crate::edge::pki::{Authority, Error, Kind, SpiffeId, check_server, fingerprint, new_key_and_csr, server_names};
use crate::edge::server::Limits;

fn turku() -> SpiffeId {
    SpiffeId::new(REGION, Kind::Node, "turku").expect("id")
}

#[test]
fn nothing_but_the_key_is_taken_from_a_request() {
    let authority = Authority::create(REGION).expect("authority");
    let key = KeyPair::generate().expect("key");
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "root");
    params.subject_alt_names = vec![uri("spiffe://pohjola/person/boss")];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let request = params.serialize_request(&key).expect("request");
    let request = request.pem().expect("PEM");
    let issued = authority.issue_client(&request, &turku(), 30);
    let chain = pem::certificates(&issued.expect("issued").cert_pem).expect("PEM");
    assert_eq!(pem::certificate(&chain[1]), authority.cert_pem());

    let (_, leaf) = X509Certificate::from_der(&chain[0]).expect("certificate");
    assert_eq!(leaf.subject().iter().count(), 0);
    assert!(!leaf.is_ca());
    let names = leaf.subject_alternative_name().expect("one").expect("some");
    assert_eq!(names.value.general_names, [GeneralName::URI("spiffe://pohjola/node/turku")]);
    let usage = leaf.extended_key_usage().expect("one").expect("some").value;
    assert!(usage.client_auth && !usage.server_auth && !usage.any);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("clock").as_secs() as i64;
    let (start, end) = (leaf.validity().not_before, leaf.validity().not_after);
    assert!((295..=305).contains(&(now - start.timestamp())));
    assert!((30 * 86400 - 5..=30 * 86400 + 5).contains(&(end.timestamp() - now)));
}

#[test]
fn a_renewal_of_the_same_key_has_another_serial_number() {
    let authority = Authority::create(REGION).expect("authority");
    let (_, request, _) = new_key_and_csr().expect("key");
    let serial = || {
        let issued = authority.issue_client(&request, &turku(), 30);
        let chain = pem::certificates(&issued.expect("issued").cert_pem).expect("PEM");
        let (_, leaf) = X509Certificate::from_der(&chain[0]).expect("certificate");
        leaf.raw_serial().to_vec()
    };
    assert_ne!(serial(), serial());
}

#[test]
fn bad_requests_are_refused() {
    let authority = Authority::create(REGION).expect("authority");
    let (_, good, _) = new_key_and_csr().expect("key");
    assert!(authority.issue_client(&good, &turku(), 30).is_ok());

    // The last byte of the DER is the last of the signature.
    let (_, block) = x509_parser::pem::parse_x509_pem(good.as_bytes()).expect("PEM");
    let mut der = block.contents;
    let last = der.len() - 1;
    der[last] ^= 1;
    let forged = pem::certificate(&der).replace("CERTIFICATE", "CERTIFICATE REQUEST");
    for bad in ["", "not PEM", &forged, &authority.cert_pem()] {
        let error = authority.issue_client(bad, &turku(), 30).err();
        assert!(matches!(error, Some(Error::Request(_))), "{error:?}");
    }
    let mixed = authority.issue_client(P384_WITH_SHA256, &turku(), 30).err();
    assert!(matches!(mixed, Some(Error::KeyKind)), "{mixed:?}");
    for kind in [&PKCS_ECDSA_P384_SHA384, &PKCS_ED25519] {
        let key = KeyPair::generate_for(kind).expect("key");
        let request = CertificateParams::default().serialize_request(&key);
        let request = request.expect("request").pem().expect("PEM");
        let error = authority.issue_client(&request, &turku(), 30).err();
        assert!(matches!(error, Some(Error::KeyKind)), "{error:?}");
    }
}

#[test]
fn bad_names_and_lives_are_refused() {
    let authority = Authority::create(REGION).expect("authority");
    let (_, request, _) = new_key_and_csr().expect("key");
    let client = |region: &str, name: &str, days| {
        let id = SpiffeId { region: region.into(), kind: Kind::Node, name: name.into() };
        authority.issue_client(&request, &id, days).err()
    };
    assert!(client(REGION, "turku", 3650).is_none());
    assert!(matches!(client("lappi", "turku", 30), Some(Error::ForeignRegion { .. })));
    assert!(matches!(client(REGION, "a/b", 30), Some(Error::Part(_))));
    assert!(matches!(client(REGION, "turku", 0), Some(Error::Days(0))));
    assert!(matches!(client(REGION, "turku", u32::MAX), Some(Error::Days(_))));

    let server = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|&name| name.into()).collect();
        authority.issue_server(&names, 30).err()
    };
    assert!(server(&["koonti.fi", "10.0.0.1", "::1"]).is_none());
    assert!(matches!(server(&[]), Some(Error::ServerName(_))));
    for bad in ["", "*.fi", "a b", "https://koonti.fi", "koonti.fi:1"] {
        assert!(matches!(server(&["koonti.fi", bad]), Some(Error::ServerName(_))), "{bad:?}");
    }
    assert!(matches!(Authority::create("Pohjola").err(), Some(Error::Part(_))));
}

#[test]
fn an_authority_survives_storage() {
    let first = Authority::create(REGION).expect("authority");
    let second = Authority::from_pem(&first.key_pem(), &first.cert_pem()).expect("restored");
    assert_eq!(first.cert_pem(), second.cert_pem());
    assert_eq!(first.cert_sha256(), second.cert_sha256());
    assert_eq!(first.key_pem(), second.key_pem());
    let (_, request, _) = new_key_and_csr().expect("key");
    assert!(second.issue_client(&request, &turku(), 30).is_ok());

    let other = Authority::create(REGION).expect("authority");
    let mixed = Authority::from_pem(&other.key_pem(), &first.cert_pem()).err();
    assert!(matches!(mixed, Some(Error::Authority)), "{mixed:?}");
    let leaf = first.issue_server(&["koonti.fi".into()], 30).expect("issued");
    let two = Authority::from_pem(&leaf.key_pem, &leaf.cert_pem).err();
    assert!(matches!(two, Some(Error::Credential(_))), "{two:?}");
    // Right in all but the right to sign.
    let key = KeyPair::generate().expect("key");
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, REGION);
    let pair = |params: &CertificateParams| {
        let certificate = params.self_signed(&key).expect("certificate");
        Authority::from_pem(&key.serialize_pem(), &certificate.pem()).err()
    };
    let no_right = pair(&params);
    assert!(matches!(no_right, Some(Error::Authority)), "{no_right:?}");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    assert!(pair(&params).is_none());
}

#[test]
fn identities_have_one_spelling() {
    for text in ["spiffe://pohjola/node/turku", "spiffe://a-1/person/x"] {
        let id: SpiffeId = text.parse().expect(text);
        assert_eq!(id.to_string(), text);
    }
    let long = format!("spiffe://pohjola/node/{}", "a".repeat(64));
    assert!(long[..long.len() - 1].parse::<SpiffeId>().is_ok());
    for text in [
        "",
        "spiffe://pohjola/node",
        "spiffe://pohjola/node/",
        "spiffe:///node/turku",
        "spiffe://pohjola/node/turku/",
        "spiffe://pohjola/node/turku/x",
        "spiffe://pohjola/auditor/turku",
        "spiffe://Pohjola/node/turku",
        "SPIFFE://pohjola/node/turku",
        "spiffe://pohjola/node/tur ku",
        "spiffe://pohjola/node/åbo",
        "spiffe://pohjola/node/turku?x",
        &long,
    ] {
        assert!(text.parse::<SpiffeId>().is_err(), "{text:?}");
    }
}

#[test]
fn fingerprints_are_as_computed_elsewhere() {
    // Python: hashlib.sha256 over struct.pack(">I", len(part)) + part.
    assert_eq!(fingerprint(&[b"ab", b"c"]), "f293 9f90 3016 e5bb 29b1 e4a6 1cdb d376");
    assert_eq!(fingerprint(&[b"a", b"bc"]), "b534 ce16 ac9c 8b36 823f 39a3 95ce 8e0e");
    assert_eq!(fingerprint(&[]), "e3b0 c442 98fc 1c14 9afb f4c8 996f b924");
}

/// A request of a P-384 key signed with SHA-256, as
/// `openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-384 -sha256` makes it.
const P384_WITH_SHA256: &str = "\
-----BEGIN CERTIFICATE REQUEST-----
MIH3MH8CAQAwADB2MBAGByqGSM49AgEGBSuBBAAiA2IABJNGn6hw2o/xTSrzLYj/
DVQ++dWWI1+T1ExjeinGCwU63FeO83i81MdH1T1MNK4/bYK3aDF0R5s7CGf1N/Sc
2JzZMFmt63hqprgLyxa4NAJC7tmboK2uSrxSqYX1OdydHKAAMAoGCCqGSM49BAMC
A2gAMGUCMQDZQpXab8j9cmu57lxxN7jxDCH/XsEtnFi6vDiC79Mrn4k+97koZGA3
124cnKqc1foCMFnQSen0Af1Tu1lvv5CaGkJA8GrdFjdriyRhocwNO7WZrgdoW9Cc
Vxw0Jf+M3Kryyg==
-----END CERTIFICATE REQUEST-----
";

#[tokio::test]
async fn a_running_server_takes_another_certificate_and_no_bad_one() {
    let region = Region::new();
    let certificate = region.certificate();
    let running = region.serve_as(Limits::default(), certificate.clone());
    let turku = region.member(Kind::Node, "turku");
    let early = region.dial(&running, &turku);
    who(&early).await.expect("served");
    let by_name = || {
        let url = running.url().replace("127.0.0.1", "localhost");
        dial_mutual(&url, &region.authority.cert_pem(), &turku.cert_pem, &turku.key_pem).expect("a channel")
    };
    let only = region.authority.issue_server(&["127.0.0.1".into()], 30).expect("issued");
    certificate.replace(&only.cert_pem, &only.key_pem).expect("it goes with its key");
    who(&by_name()).await.expect_err("that name is gone");
    assert!(certificate.replace(&region.server.cert_pem, &only.key_pem).is_err(), "another key");
    assert!(certificate.replace("", "").is_err());
    who(&by_name()).await.expect_err("a bad one replaces nothing");
    who(&region.dial(&running, &turku)).await.expect("served as before");
    let both = region.authority.issue_server(&["127.0.0.1".into(), "localhost".into()], 30).expect("issued");
    certificate.replace(&both.cert_pem, &both.key_pem).expect("it goes with its key");
    who(&by_name()).await.expect("the name is there");
    who(&early).await.expect("and what was open goes on");
    assert_eq!(server_names(&both.cert_pem).expect("names"), ["127.0.0.1", "localhost"]);
    let (ca, key) = (region.authority.cert_pem(), &both.key_pem);
    assert!(check_server(&ca, &both.cert_pem, key).is_ok());
    assert!(check_server(&Region::new().authority.cert_pem(), &both.cert_pem, key).is_err());
}
