//! What goes over the wire: the operations and paths of a request, the reply envelope, upstream's lenient scalars,
//! time stamps and error texts. Shared by the server, the client and the command line; imports nothing of ours.
#![forbid(unsafe_code)]

mod envelope;
mod operation;
mod path;
pub mod scalar;
mod time;

pub use envelope::{Auth, Envelope, ErrorBody, WrapInfo, join_errors};
pub use operation::Operation;
pub use path::{PATH_BYTES_MAX, PathError, RequestPath};
pub use time::{Timestamp, TimestampError};
