//! A TLS server for tests: a certificate that an authority of its own signed, or that it signed itself.

use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// What it shows.
pub(crate) struct Certificate {
    /// Its authority, in PEM; its own where it signed itself.
    pub(crate) authority: Vec<u8>,
    acceptor: TlsAcceptor,
}

/// One for a name, which an authority signed.
pub(crate) fn signed(name: &str) -> Certificate {
    let mut authority = CertificateParams::new(Vec::<String>::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    shown(certificate.der().to_vec(), &key, authority.pem())
}

/// One that nobody else signed.
pub(crate) fn self_signed(name: &str) -> Certificate {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap();
    shown(certificate.der().to_vec(), &key, certificate.pem())
}

fn shown(certificate: Vec<u8>, key: &KeyPair, authority: String) -> Certificate {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![CertificateDer::from(certificate)], key).unwrap();
    Certificate { authority: authority.into_bytes(), acceptor: TlsAcceptor::from(Arc::new(config)) }
}

impl Certificate {
    /// A server on a free port that shakes hands with everybody and hands each connection on.
    pub(crate) async fn serve<F>(self, mut each: impl FnMut(TlsStream<TcpStream>) -> F + Send + 'static) -> SocketAddr
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if let Ok(stream) = self.acceptor.accept(stream).await {
                    tokio::spawn(each(stream));
                }
            }
        });
        address
    }
}
