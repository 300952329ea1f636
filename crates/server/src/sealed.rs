//! What a sealed or uninitialised node answers: a short list of open routes, and 503 for everything else (S24).

use crate::http::{self, Rendered, rendered};
use crate::seal;
use crate::shell::{Shell, lock};
use barrier::{Initialiser, ShareFormatError, ShareRequest, ShareRequestError, parse_share};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::{Fault, Input, Operation, Reply, Request, RequestBody};
use kernel::pipeline::Answer;
use kernel::sys::ceremonies;
use kernel::{HealthCodes, Node, Report};
use serde_json::json;

engine::request! {
    /// `sys/init`.
    pub struct Init {
        /// Number of unseal shares.
        secret_shares: i64,
        /// Shares needed to unseal.
        secret_threshold: i64,
        /// OpenPGP public keys, one for each share.
        pgp_keys: engine::StringList,
        /// OpenPGP public key for the root token.
        root_token_pgp_key: String,
        /// Number of recovery shares, with a seal that opens by itself.
        recovery_shares: i64,
        /// Recovery shares needed.
        recovery_threshold: i64,
        /// OpenPGP public keys, one for each recovery share.
        recovery_pgp_keys: engine::StringList,
    }
}

engine::request! {
    /// `sys/unseal`.
    pub struct Unseal {
        /// A share in hex or base64.
        key: engine::SecretText,
        /// Forgets the shares given so far.
        reset: bool,
        /// Accepted.
        migrate: bool,
    }
}

/// Serves a request on a sealed node.
pub async fn serve(shell: &Shell, request: &Request) -> Rendered {
    let reply = match (request.path.as_str().trim_end_matches('/'), request.operation) {
        ("sys/health", Operation::Read) => {
            HealthCodes::of(&request.input).and_then(|codes| shell.report(Report::Health(codes)))
        }
        ("sys/seal-status", Operation::Read) => shell.report(Report::SealStatus),
        ("sys/leader", Operation::Read) => shell.report(Report::Leader),
        ("sys/init", Operation::Read) => initialised(shell),
        ("sys/init", Operation::Update) => init(shell, &request.input).await,
        ("sys/unseal", Operation::Update) => unseal(shell, &request.input),
        _ => return http::error(503, &["Vault is sealed"]),
    };
    match reply {
        Ok(reply) => rendered(&request.id, request.operation, Answer { reply, ..Answer::default() }),
        Err(fault) => {
            if let Fault::Internal(_) | Fault::Store(_) = &fault {
                tracing::error!(path = %request.path, error = %fault, "request failed while sealed");
            }
            http::fault(&fault)
        }
    }
}

fn initialised(shell: &Shell) -> Result<Reply, Fault> {
    Ok(Reply::raw_json(json!({ "initialized": seal::sealed(shell)?.is_some() })))
}

async fn init(shell: &Shell, input: &Input) -> Result<Reply, Fault> {
    let request = Init::parse(input)?;
    if seal::sealed(shell)?.is_some() {
        return Err(Fault::invalid("Vault is already initialized"));
    }
    let how = initialiser(shell, &request)?;
    let root_recipient = match request.root_token_pgp_key.as_str() {
        "" => None,
        key => Some(ceremonies::recipients(&[key.to_owned()])?),
    };
    let made = seal::initialise(shell, &how, None).await?;
    let (plain, base64) = ceremonies::share_texts(&made.issued);
    let root_token = match root_recipient.as_deref() {
        Some([recipient, ..]) => {
            let sealed = recipient
                .encrypt(&mut engine::SystemRandomness, made.root_token.expose().as_bytes())
                .map_err(|_| Fault::internal("root token could not be encrypted"))?;
            STANDARD.encode(sealed)
        }
        _ => made.root_token.expose().clone(),
    };
    let recovery = matches!(how, Initialiser::Static { .. });
    let (keys, recovery_keys) =
        if recovery { ((vec![], vec![]), (plain, base64)) } else { ((plain, base64), (vec![], vec![])) };
    let mut reply = json!({ "keys": keys.0, "keys_base64": keys.1, "root_token": root_token });
    if recovery && let Some(members) = reply.as_object_mut() {
        members.insert("recovery_keys".into(), recovery_keys.0.into());
        members.insert("recovery_keys_base64".into(), recovery_keys.1.into());
    }
    Ok(Reply::raw_json(reply))
}

fn initialiser(shell: &Shell, request: &Init) -> Result<Initialiser, Fault> {
    let refused = |why: String| Fault::invalid(format!("invalid seal configuration: {why}"));
    let shares = |count, threshold, keys: &engine::StringList| {
        if !keys.0.is_empty() && i64::try_from(keys.0.len()) != Ok(count) {
            return Err(refused(ShareRequestError::Recipients.to_string()));
        }
        let recipients = ceremonies::recipients(&keys.0).map_err(|fault| refused(fault.to_string()))?;
        ShareRequest::new(count, threshold, recipients).map_err(|error| refused(error.to_string()))
    };
    match shell.config.static_key() {
        Some(key) => {
            let asked = request.recovery_shares > 0 || request.recovery_threshold > 0;
            let recovery = asked
                .then(|| shares(request.recovery_shares, request.recovery_threshold, &request.recovery_pgp_keys))
                .transpose()?;
            Ok(Initialiser::Static { key, recovery })
        }
        None => {
            if request.recovery_shares > 0 || request.recovery_threshold > 0 {
                return Err(Fault::invalid(
                    "parameters recovery_shares,recovery_threshold not applicable to seal type shamir",
                ));
            }
            shares(request.secret_shares, request.secret_threshold, &request.pgp_keys).map(Initialiser::Shamir)
        }
    }
}

fn unseal(shell: &Shell, input: &Input) -> Result<Reply, Fault> {
    let request = Unseal::parse(input)?;
    if seal::sealed(shell)?.is_none() {
        return Err(Fault::invalid("Vault is not initialized"));
    }
    if request.reset {
        *lock(&shell.unsealing) = Default::default();
    } else {
        let share = parse_share(request.key.0.expose()).map_err(|error| match error {
            ShareFormatError::Missing => {
                Fault::invalid("'key' must be specified in request body as JSON, or 'reset' set to true")
            }
            error => Fault::invalid(error.to_string()),
        })?;
        seal::give_share(shell, share)?;
    }
    shell.report(Report::SealStatus)
}
