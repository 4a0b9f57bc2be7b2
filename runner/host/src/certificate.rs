//! Self-signed certificates: an authority that signs one certificate and is discarded.

use std::time::{Duration, SystemTime};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};

/// Validity before the current time, since clocks differ.
const EARLIER: Duration = Duration::from_secs(3600);

/// A certificate with its authority, as PEM texts. The key is a secret.
pub struct Issued {
    /// The authority's certificate, which clients trust.
    pub authority: String,
    pub certificate: String,
    pub key: String,
}

/// Creates an authority and a certificate for some names. The authority's key is dropped, so that it never signs
/// anything else.
///
/// # Errors
/// A name is not allowed in a certificate.
pub fn issue(authority_name: &str, names: &[String], lasts: Duration) -> Result<Issued, rcgen::Error> {
    let lasting = |params: &mut CertificateParams| {
        params.not_before = (SystemTime::now() - EARLIER).into();
        params.not_after = (SystemTime::now() + lasts).into();
    };
    let mut authority = CertificateParams::new(Vec::<String>::new())?;
    lasting(&mut authority);
    authority.distinguished_name.push(DnType::CommonName, authority_name);
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
    let mut params = CertificateParams::new(names.to_vec())?;
    lasting(&mut params);
    // Not the authority's own name: OpenSSL would consider the certificate self-signed.
    if let Some(name) = names.first() {
        params.distinguished_name.push(DnType::CommonName, name.as_str());
    }
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, &authority)?;
    Ok(Issued { authority: authority.pem(), certificate: certificate.pem(), key: key.serialize_pem() })
}
