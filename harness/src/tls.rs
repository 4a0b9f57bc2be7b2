//! TLS to a port that speaks another protocol than HTTP: a stream of bytes, under a certificate that is believed or not.

use std::sync::Arc;
use std::time::Instant;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
pub use tokio_rustls::client::TlsStream;

/// Why there is no such stream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// Nobody takes the connection.
    #[error("no connection: {0}")]
    Unreachable(String),
    /// The connection is there, and the handshake does not come to its end.
    #[error("the TLS handshake fails: {0}")]
    Handshake(String),
    /// The certificate is not one to believe.
    #[error("the certificate is not good for {name}: {why}")]
    Certificate {
        /// The name that it should be for.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// It takes too long.
    #[error("the TLS handshake does not end in time")]
    Late,
    /// What is given to this machine's side cannot be used.
    #[error("{0}")]
    Unusable(String),
}

/// How servers are believed, and how this side shows itself. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Tls {
    config: Arc<ClientConfig>,
}

/// Which certificates are believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust<'a> {
    /// Those of these authorities, in PEM, for the name that is asked for.
    Authorities(&'a [u8]),
    /// Any: a server that signs its own says nothing of who it is.
    Anyone,
}

/// Where a server is, and who it has to be.
#[derive(Debug, Clone, Copy)]
pub struct Server<'a> {
    /// A name or an address.
    pub host: &'a str,
    /// The port.
    pub port: u16,
    /// The name that its certificate is for.
    pub name: &'a str,
}

/// A certificate of one's own with its key, as servers know people by that ask for no password. The key is a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Tls {
    /// A client, which shows a certificate of its own where it has one.
    ///
    /// # Errors
    /// [`TlsError::Unusable`]: the authorities cannot be read, or the identity's key is not its certificate's.
    pub fn new(trust: Trust<'_>, identity: Option<&Identity>) -> Result<Self, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let unusable = |error: rustls::Error| TlsError::Unusable(format!("no TLS can be had: {error}"));
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_safe_default_protocol_versions().map_err(unusable)?;
        let builder = match trust {
            Trust::Authorities(pem) => builder.with_root_certificates(authorities(pem)?),
            Trust::Anyone => builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate(provider))),
        };
        let config = match identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(identity.key.clone()));
                let chain = vec![CertificateDer::from(identity.certificate.clone())];
                builder.with_client_auth_cert(chain, key).map_err(unusable)?
            }
        };
        Ok(Self { config: Arc::new(config) })
    }

    /// Connects to a server and shakes hands.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub async fn connect(&self, to: Server<'_>, deadline: Instant) -> Result<TlsStream<TcpStream>, TlsError> {
        let name = ServerName::try_from(to.name.to_owned());
        let name = name.map_err(|_| TlsError::Unusable(format!("{:?} is no name of a server", to.name)))?;
        let handshake = async {
            let stream = TcpStream::connect((to.host, to.port)).await;
            let stream = stream.map_err(|error| TlsError::Unreachable(error.to_string()))?;
            let shaken = TlsConnector::from(Arc::clone(&self.config)).connect(name, stream).await;
            shaken.map_err(|error| not_shaken(to.name, &error))
        };
        tokio::time::timeout_at(deadline.into(), handshake).await.unwrap_or(Err(TlsError::Late))
    }
}

fn authorities(pem: &[u8]) -> Result<RootCertStore, TlsError> {
    let unusable = |why: String| TlsError::Unusable(format!("the certificate authorities cannot be read: {why}"));
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| unusable(format!("{error:?}")))?;
        // A machine's list may hold one that this library does not take; the others count.
        let _ = store.add(certificate);
    }
    if store.is_empty() { Err(unusable("there is none in the file".to_owned())) } else { Ok(store) }
}

fn not_shaken(name: &str, error: &std::io::Error) -> TlsError {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(why)) => {
            TlsError::Certificate { name: name.to_owned(), why: why.to_string() }
        }
        Some(other) => TlsError::Handshake(other.to_string()),
        None => TlsError::Handshake(error.to_string()),
    }
}

impl Identity {
    /// A new one that is signed by itself.
    ///
    /// # Errors
    /// [`TlsError::Unusable`]: the name cannot stand in a certificate.
    pub fn new(name: &str) -> Result<Self, TlsError> {
        let unusable = |error: rcgen::Error| TlsError::Unusable(format!("no certificate can be made: {error}"));
        let mut params = rcgen::CertificateParams::new(Vec::<String>::new()).map_err(unusable)?;
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let key = rcgen::KeyPair::generate().map_err(unusable)?;
        let certificate = params.self_signed(&key).map_err(unusable)?;
        Ok(Self { certificate: certificate.der().to_vec(), key: key.serialize_der() })
    }

    /// As one word, which is a secret: for a test that has to be the same person later.
    pub fn to_secret(&self) -> String {
        format!("{}.{}", BASE64_STANDARD.encode(&self.certificate), BASE64_STANDARD.encode(&self.key))
    }

    /// The one that such a word stands for.
    ///
    /// # Errors
    /// [`TlsError::Unusable`]: it is none.
    pub fn of_secret(word: &str) -> Result<Self, TlsError> {
        let parts =
            word.split_once('.').map(|(one, other)| (BASE64_STANDARD.decode(one), BASE64_STANDARD.decode(other)));
        match parts {
            Some((Ok(certificate), Ok(key))) => Ok(Self { certificate, key }),
            _ => Err(TlsError::Unusable("what was kept is no certificate with its key".to_owned())),
        }
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

/// Believes every certificate, and holds the server to it all the same: it has to have the key.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
pub(crate) mod scripted;
#[cfg(test)]
mod tests;
