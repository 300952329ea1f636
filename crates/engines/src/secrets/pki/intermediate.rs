//! Intermediate authorities: the request, which another authority signs.

use super::answers::{internal, unfit};
use super::config::Urls;
use super::material::{Format, key_text};
use super::names::Wanted;
use super::root::{NO_URLS, check_exported, key_for, scheme, subject_of};
use super::wire::{
    AuthorityFields, ExportedPath, KeyFields, KeyKindFields, NameFields, SignatureFields, SubjectFields,
};
use engine::crypto::x509::{CertificateRequest, Constraints, DistinguishedName, Extensions};
use engine::{Cx, Fault, Reply, Route};
use serde_json::{Map, Value};

pub(super) fn routes() -> Vec<Route<Cx>> {
    let summary = "A key and a request for an intermediate authority.";
    let by_path = |cx: &mut Cx, (path, sent): (ExportedPath, Intermediate)| generate(cx, &path.exported, sent);
    vec![
        Route::at("intermediate/generate/{exported}", summary).write(by_path).heavy(),
        Route::at("issuers/generate/intermediate/{exported}", summary).write(by_path).heavy(),
        Route::at("intermediate/cross-sign", "A request with a key that is there.")
            .write(|cx: &mut Cx, sent: Intermediate| generate(cx, "existing", sent)),
    ]
}

type Intermediate = (NameFields, (SubjectFields, (AuthorityFields, (KeyKindFields, (SignatureFields, KeyFields)))));

fn generate(cx: &mut Cx, exported: &str, sent: Intermediate) -> Result<Reply, Fault> {
    let (sent, (parts, (authority, (kind, (signature, key_fields))))) = sent;
    check_exported(exported)?;
    let format = Format::of(&sent)?;
    let wanted = Wanted::from_fields(&sent)?;
    let (key, private) = key_for(cx, exported, &kind, &key_fields)?;
    let mut extensions = Extensions::default();
    extensions.set_names(&wanted.names, false).map_err(unfit)?;
    if authority.add_basic_constraints {
        extensions.set_constraints(Constraints { authority: true, path_length: None }).map_err(unfit)?;
    }
    let subject = DistinguishedName::from_subject(&subject_of(&parts, &wanted)).map_err(unfit)?;
    let scheme = scheme(&signature, &private)?;
    let request = CertificateRequest::create(&subject, &extensions, &private, scheme).map_err(internal)?;
    let mut data: Map<String, Value> = Map::new();
    let mut bundle = format.text(&request.to_pem());
    if exported == "exported" {
        let text = key_text(&private, format, &sent)?;
        if format == Format::Bundle {
            bundle = format!("{text}\n{bundle}");
        }
        data.insert("private_key".to_owned(), text.into());
        data.insert("private_key_type".to_owned(), private.kind().name().into());
    }
    data.insert("csr".to_owned(), bundle.into());
    data.insert("key_id".to_owned(), key.id.into());
    let reply = Reply::data(data);
    if !Urls::load(cx)?.is_empty() {
        return Ok(reply);
    }
    Ok(reply.warn(format!(
        "{NO_URLS} Since this certificate is an intermediate, it might be useful to regenerate this certificate after \
         fixing this problem for the root mount."
    )))
}
