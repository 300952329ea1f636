//! What a browser is shown where this server completes a login itself. Without scripts, so that the policy that the
//! server sends along may forbid them; nothing that the provider or an address says is shown.

use engine::{Body, Raw, Reply};

/// The user is asked whether it was they who began the login: an attacker may have sent them its address (row S67).
pub(super) fn confirmation(role: &str, initiator: &str, state: &str, confirmation: &str) -> Reply {
    let [role, initiator, state, confirmation] = [role, initiator, state, confirmation].map(escaped);
    page(
        200,
        "Confirm this sign-in",
        &format!(
            "<p>Somebody asked to sign in as you. <strong>Confirm only if that was you, a moment ago.</strong> If it was \
             not, close this page.</p><p>Asked from the address <b>{initiator}</b>, for the role <b>{role}</b>.</p>\
             <form method=\"post\"><input type=\"hidden\" name=\"state\" value=\"{state}\">\
             <input type=\"hidden\" name=\"confirmation\" value=\"{confirmation}\">\
             <button>Confirm sign-in</button></form>"
        ),
    )
}

/// The login is complete.
pub(super) fn success() -> Reply {
    page(200, "Signed in", "<p>You can close this window and go on where you began.</p>")
}

/// The login failed. Why is told to the client that waits, and to nobody who has only the address of this page.
pub(super) fn failure() -> Reply {
    page(400, "Sign-in failed", "<p>The sign-in could not be completed. Begin again where you began.</p>")
}

fn page(status: u16, title: &str, body: &str) -> Reply {
    let text = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{title}</title><style>body{{font:1rem/1.5 sans-serif;max-width:32rem;\
         margin:20vh auto;padding:0 1rem}}</style></head><body><h1>{title}</h1>{body}</body></html>\n"
    );
    let raw = Raw { content_type: "text/html; charset=utf-8", bytes: text.into_bytes() };
    Reply { body: Body::Raw(raw), ..Reply::default() }.status(status)
}

/// Text within an element or a quoted attribute.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}
