use super::*;

/// Writes a certificate and its key into `folder`, and gives the certificate.
fn write(folder: &Path, name: &str) -> TlsFiles {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let files =
        TlsFiles { certificate: folder.join(format!("{name}.crt")), key: folder.join(format!("{name}.key")) };
    std::fs::write(&files.certificate, made.cert.pem()).expect("written");
    std::fs::write(&files.key, made.signing_key.serialize_pem()).expect("written");
    files
}

fn shown(tls: &Tls) -> Vec<u8> {
    tls.current.key.read().cert[0].to_vec()
}

fn refusal(files: &TlsFiles) -> String {
    match Tls::load(files) {
        Ok(_) => panic!("{files:?} were taken"),
        Err(error) => crate::problem::chain(&error),
    }
}

#[test]
fn files_that_cannot_be_used_are_refused_with_the_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let (one, other) = (write(folder.path(), "one"), write(folder.path(), "other"));
    let text = folder.path().join("text");
    std::fs::write(&text, "no PEM").expect("written");
    let large = folder.path().join("large");
    std::fs::write(&large, vec![b'-'; 2 << 20]).expect("written");
    let pair = |certificate: &Path, key: &Path| TlsFiles { certificate: certificate.into(), key: key.into() };
    let cases = [
        (pair(&one.certificate, &other.key), "one.crt"),
        (pair(&one.certificate, &other.key), "is not that of the certificate"),
        (pair(&text, &one.key), "text holds no certificate"),
        (pair(&one.certificate, &one.certificate), "one.crt holds no private key"),
        (pair(&one.key, &one.key), "one.key holds no certificate"),
        (pair(&large, &one.key), "large is larger than"),
        (pair(folder.path(), &one.key), "cannot read"),
        (pair(&folder.path().join("none"), &one.key), "none: No such file"),
    ];
    for (files, expected) in cases {
        let said = refusal(&files);
        assert!(said.contains(expected), "{files:?}: {said}");
    }
}

#[test]
fn a_new_certificate_is_taken_and_one_without_its_key_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let (used, next) = (write(folder.path(), "used"), write(folder.path(), "next"));
    let tls = Tls::load(&used).expect("a pair");
    let first = shown(&tls);
    assert_eq!(tls.look(tls.digest).expect("looked"), None, "nothing has changed");

    // Half of the pair is new: the moment between the two writes of a renewal.
    std::fs::copy(&next.certificate, &used.certificate).expect("copied");
    let error = tls.look(tls.digest).expect_err("the key is that of the old one");
    assert!(matches!(error, TlsError::Mismatch { .. }), "{error}");
    assert_eq!(shown(&tls), first, "the old one stays");

    std::fs::copy(&next.key, &used.key).expect("copied");
    let digest = tls.look(tls.digest).expect("looked").expect("both are new");
    assert_ne!(shown(&tls), first);
    assert_eq!(tls.look(digest).expect("looked"), None, "once");

    std::fs::write(&used.key, "").expect("written");
    assert!(tls.look(digest).is_err());
    assert_ne!(shown(&tls), first, "what was taken stays");
}
