//! An authority as it is stored, at `issuer/<id>`, and which is the default, at `config/issuers`.

use engine::crypto::signing::SigningAlgorithm;
use engine::crypto::ssh::PrivateKey;
use engine::crypto::{Zeroize, Zeroizing};
use engine::{Cx, Fault, Page, Record};
use serde::{Deserialize, Serialize};

const ISSUERS: &str = "issuer/";
const CONFIG: &str = "config/issuers";
/// Stands for the default authority.
pub(super) const DEFAULT: &str = "default";
/// Most authorities of a mount.
pub(super) const ISSUERS_MAX: usize = 100;

/// An authority.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Issuer {
    /// Empty for none.
    pub(super) name: String,
    /// Its line, as it was sent or made, with a line end.
    pub(super) public_key: String,
    /// By its JWS name.
    algorithm: String,
    /// PKCS #8.
    private_key: Vec<u8>,
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.private_key.zeroize();
    }
}

impl Record for Issuer {
    const KIND: &'static str = "ssh-issuer/1";
}

#[derive(Default, Serialize, Deserialize)]
struct Config {
    default: Option<String>,
}

impl Record for Config {
    const KIND: &'static str = "ssh-issuers/1";
}

impl Issuer {
    /// An authority with this key.
    pub(super) fn new(name: String, public_key: String, key: &PrivateKey) -> Self {
        let private_key = key.to_pkcs8().as_slice().to_vec();
        Self { name, public_key, algorithm: key.algorithm().name().to_owned(), private_key }
    }

    /// Its key.
    pub(super) fn key(&self) -> Result<PrivateKey, Fault> {
        let broken = || Fault::internal("the key of an issuer is not readable");
        let algorithm = SigningAlgorithm::parse(&self.algorithm).ok_or_else(broken)?;
        let pkcs8 = Zeroizing::new(self.private_key.clone());
        PrivateKey::from_pkcs8(algorithm, &pkcs8).map_err(|_| broken())
    }

    /// Writes it.
    pub(super) fn save(&self, cx: &mut Cx, id: &str) -> Result<(), Fault> {
        Ok(cx.tx.save(&format!("{ISSUERS}{id}"), self)?)
    }

    /// The authority of this id.
    pub(super) fn load(cx: &mut Cx, id: &str) -> Result<Self, Fault> {
        cx.tx.load(&format!("{ISSUERS}{id}"))?.ok_or_else(|| Fault::internal("an issuer is gone"))
    }

    /// The ids of all authorities.
    pub(super) fn ids(cx: &mut Cx, page: &Page) -> Result<Vec<String>, Fault> {
        Ok(cx.tx.list(ISSUERS, page)?)
    }

    /// The id that a reference stands for: the default's, an id or a name.
    pub(super) fn resolve(cx: &mut Cx, reference: &str) -> Result<String, Fault> {
        if reference == DEFAULT {
            return default_id(cx)?.ok_or_else(|| Fault::invalid("no default issuer currently configured"));
        }
        for id in Self::ids(cx, &Page::all())? {
            if id == reference || Self::load(cx, &id)?.name == reference {
                return Ok(id);
            }
        }
        Err(Fault::invalid(format!("unable to find issuer for reference: {reference}")))
    }

    /// Deletes the one of this id; if it is the default, there is none afterwards.
    pub(super) fn delete(cx: &mut Cx, id: &str) -> Result<(), Fault> {
        cx.tx.delete(&format!("{ISSUERS}{id}"));
        if default_id(cx)?.as_deref() == Some(id) {
            cx.tx.delete(CONFIG);
        }
        Ok(())
    }
}

/// The id of the default authority.
pub(super) fn default_id(cx: &mut Cx) -> Result<Option<String>, Fault> {
    Ok(cx.tx.load::<Config>(CONFIG)?.unwrap_or_default().default)
}

/// Makes an authority the default.
pub(super) fn set_default(cx: &mut Cx, id: &str) -> Result<(), Fault> {
    Ok(cx.tx.save(CONFIG, &Config { default: Some(id.to_owned()) })?)
}
