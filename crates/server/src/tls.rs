//! TLS from two PEM files, which are read again when they change.
//!
//! At start a file that cannot be used is an error. Later the certificate in use stays until a better
//! one is there: whoever renews a certificate writes two files, one after the other.
//!
//! Start reading at [`Tls`].

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{InconsistentKeys, ServerConfig};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use crate::guard::stall::Impatient;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long a client may take to agree on a key.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// The largest file that is read; chains of certificates have some kilobytes.
const MAX_FILE_BYTES: u64 = 1 << 20;
/// How much of a request is read that came to the wrong place.
const MAX_REQUEST_BYTES: u64 = 64 << 10;

/// What somebody reads who writes `http://` for `https://`. A method is the first word of plain HTTP and
/// is written in capitals; a TLS record begins with the byte 22.
const PLAIN_HTTP: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 50\r\n\
    Connection: close\r\n\r\nThis port speaks HTTPS; write https:// before it.\n";

/// Where the certificate and its key are.
#[derive(Clone, Debug, PartialEq)]
pub struct TlsFiles {
    /// A PEM file with the certificate, and after it those that lead to its issuer.
    pub certificate: PathBuf,
    /// A PEM file with the private key of the certificate.
    pub key: PathBuf,
}

/// Why HTTPS cannot be spoken with these files.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is larger than any certificate.
    #[error("{} is larger than {MAX_FILE_BYTES} bytes: that is no PEM file", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// There is no certificate in the file, or it is broken.
    #[error("{} holds no certificate in PEM form", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What was found instead.
        source: pem::Error,
    },
    /// There is no private key in the file, or it is broken.
    #[error("{} holds no private key in PEM form", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What was found instead.
        source: pem::Error,
    },
    /// The key is another certificate's.
    #[error("the key in {} is not that of the certificate in {}", key.display(), certificate.display())]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// They belong together, and TLS has no use for them.
    #[error("the certificate in {} cannot be used", certificate.display())]
    Unusable {
        /// The certificate's file.
        certificate: PathBuf,
        /// Why.
        source: rustls::Error,
    },
}

/// What is read from the two files.
struct Material {
    certificates: Vec<u8>,
    key: Vec<u8>,
}

impl Material {
    fn read(files: &TlsFiles) -> Result<Self, TlsError> {
        Ok(Self { certificates: read(&files.certificate)?, key: read(&files.key)? })
    }

    fn digest(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        digest.update((self.certificates.len() as u64).to_le_bytes());
        digest.update(&self.certificates);
        digest.update(&self.key);
        digest.finalize().into()
    }

    fn certified_key(&self, files: &TlsFiles, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
        let broken = |source| TlsError::Certificate { path: files.certificate.clone(), source };
        let chain = CertificateDer::pem_slice_iter(&self.certificates)
            .collect::<Result<Vec<CertificateDer<'static>>, _>>()
            .map_err(broken)?;
        if chain.is_empty() {
            return Err(broken(pem::Error::NoItemsFound));
        }
        let key = PrivateKeyDer::from_pem_slice(&self.key)
            .map_err(|source| TlsError::Key { path: files.key.clone(), source })?;
        CertifiedKey::from_der(chain, key, provider).map_err(|source| match source {
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                TlsError::Mismatch { certificate: files.certificate.clone(), key: files.key.clone() }
            }
            source => TlsError::Unusable { certificate: files.certificate.clone(), source },
        })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let failed = |source| TlsError::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(TlsError::TooLarge { path: path.to_owned() });
    }
    Ok(bytes)
}

/// The certificate that is shown to whoever connects now.
struct Current {
    key: RwLock<Arc<CertifiedKey>>,
}

impl fmt::Debug for Current {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Current").finish_non_exhaustive()
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.key.read()))
    }
}

/// HTTPS with the certificate of two files.
#[derive(Clone)]
pub struct Tls {
    files: Arc<TlsFiles>,
    provider: Arc<CryptoProvider>,
    current: Arc<Current>,
    /// Of the files as they were read first.
    digest: [u8; 32],
    acceptor: TlsAcceptor,
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// When a file cannot be read, or the two do not belong together.
    pub fn load(files: &TlsFiles) -> Result<Self, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let material = Material::read(files)?;
        let key = material.certified_key(files, &provider)?;
        let current = Arc::new(Current { key: RwLock::new(Arc::new(key)) });
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|source| TlsError::Unusable { certificate: files.certificate.clone(), source })?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Ok(Self { files: Arc::new(files.clone()), provider, current, digest: material.digest(), acceptor })
    }

    /// The same for a port that speaks HTTP/2 as well.
    pub(crate) fn with_http2(&self) -> Self {
        let mut config = ServerConfig::clone(self.acceptor.config());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Self { acceptor: TlsAcceptor::from(Arc::new(config)), ..self.clone() }
    }

    /// Agrees with a client on a key. A client that is slow, or speaks no TLS, is an error; one that
    /// speaks plain HTTP is told so first.
    pub(crate) async fn accept(
        &self,
        stream: TcpStream,
        patience: Duration,
    ) -> io::Result<TlsStream<Impatient>> {
        let agree = async {
            let mut first = [0];
            if stream.peek(&mut first).await? == 1 && first[0].is_ascii_uppercase() {
                let mut stream = Impatient::new(stream, patience);
                stream.write_all(PLAIN_HTTP).await?;
                stream.shutdown().await?;
                // What is left unread would turn the end into a reset, and the answer would be lost.
                tokio::io::copy(&mut stream.take(MAX_REQUEST_BYTES), &mut tokio::io::sink()).await?;
                return Err(io::Error::new(io::ErrorKind::InvalidData, "plain HTTP"));
            }
            self.acceptor.accept(Impatient::new(stream, patience)).await
        };
        tokio::time::timeout(HANDSHAKE_TIMEOUT, agree).await?
    }

    /// Looks at the files until `stop`, and takes what is new and can be used.
    pub(crate) async fn follow(self, stop: CancellationToken) {
        let mut seen = self.digest;
        let mut said = None;
        while stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_some() {
            let tls = self.clone();
            let outcome = tokio::task::spawn_blocking(move || tls.look(seen)).await;
            match outcome {
                Ok(Ok(None)) => said = None,
                Ok(Ok(Some(digest))) => {
                    seen = digest;
                    said = None;
                    tracing::info!(certificate = %self.files.certificate.display(), "a new certificate is used");
                }
                Ok(Err(error)) => {
                    // Once for each fault: a file may stay broken for days.
                    let text = crate::problem::chain(&error);
                    if said.as_ref() != Some(&text) {
                        tracing::warn!(error = %text, "the new certificate cannot be used; the old one stays");
                    }
                    said = Some(text);
                }
                Err(error) => tracing::error!(%error, "looking at the certificate failed"),
            }
        }
    }

    /// Takes the files if they differ from `seen`; says what they are then.
    fn look(&self, seen: [u8; 32]) -> Result<Option<[u8; 32]>, TlsError> {
        let material = Material::read(&self.files)?;
        let digest = material.digest();
        if digest == seen {
            return Ok(None);
        }
        let key = material.certified_key(&self.files, &self.provider)?;
        *self.current.key.write() = Arc::new(key);
        Ok(Some(digest))
    }
}

#[cfg(test)]
mod tests;
