//! Cross-origin requests of browsers (Fetch standard, CORS protocol): answered only for the origins that `sys/config/cors`
//! allows.

use crate::http::{self, Rendered};
use crate::shell::{Shell, lock};
use engine::Tx;
use hyper::http::request::Parts;
use hyper::{Method, header};
use kernel::web::{CORS, Cors};
use std::sync::{Arc, Mutex};

/// Methods that a browser may use from another origin.
const METHODS: &str = "DELETE,GET,OPTIONS,POST,PUT,LIST,SCAN";
/// Seconds that a browser may remember a preflight.
const MAX_AGE: &str = "300";

/// The rules as of one revision of the configuration.
#[derive(Default)]
pub struct CorsRules(Mutex<Option<(u64, Option<Arc<Cors>>)>>);

/// What a response to an allowed origin says.
pub type Headers = Vec<(&'static str, String)>;

impl Shell {
    /// Decides on the origin of a request: headers for its response, or the reply of a preflight or of an origin that is
    /// not allowed.
    pub fn cross_origin(&self, head: &Parts) -> Result<Headers, Rendered> {
        let preflight = head.method == Method::OPTIONS;
        let origin = head.headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
        let refused = || http::error::<&str>(405, &[]);
        // Most requests come from no browser: they cost nothing here.
        let Some(origin) = origin else { return if preflight { Err(refused()) } else { Ok(Vec::new()) } };
        let Some(cors) = self.cors() else { return if preflight { Err(refused()) } else { Ok(Vec::new()) } };
        if !cors.allows(origin) {
            return Err(http::error(403, &["origin not allowed"]));
        }
        let mut headers = vec![("access-control-allow-origin", origin.to_owned()), ("vary", "Origin".to_owned())];
        if cors.allow_credentials {
            headers.push(("access-control-allow-credentials", "true".to_owned()));
        }
        if !preflight {
            return Ok(headers);
        }
        let asked = head.headers.get(header::ACCESS_CONTROL_REQUEST_METHOD).and_then(|method| method.to_str().ok());
        if !asked.is_some_and(|asked| METHODS.split(',').any(|method| method == asked)) {
            return Err(refused());
        }
        headers.push(("access-control-allow-methods", METHODS.to_owned()));
        headers.push(("access-control-allow-headers", cors.headers().collect::<Vec<_>>().join(",")));
        headers.push(("access-control-max-age", MAX_AGE.to_owned()));
        Err(Rendered { status: 200, content_type: "application/json", bytes: Vec::new(), headers })
    }

    /// The rules, read anew when the configuration changed. A sealed node has none.
    fn cors(&self) -> Option<Arc<Cors>> {
        let open = self.unsealed()?;
        let snapshot = self.log.snapshot();
        let revision = snapshot.area_revision("root/config").0;
        if let Some((_, cors)) = lock(&self.cors.0).as_ref().filter(|(known, _)| *known == revision) {
            return cors.clone();
        }
        let barrier = open.barrier(snapshot.as_ref()).ok()?;
        match Cors::load(&mut Tx::new(snapshot, barrier)) {
            Ok(cors) => {
                let cors = cors.map(Arc::new);
                *lock(&self.cors.0) = Some((revision, cors.clone()));
                cors
            }
            Err(error) => {
                tracing::error!(place = CORS, error = %error, "rules of cross-origin requests could not be read");
                None
            }
        }
    }
}
