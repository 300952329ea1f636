//! Progress on standard error, for people: a spinner while the server takes its time, a bar where the end is known.

use client::Request;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::future::Future;
use std::time::Duration;

/// How long a request may take before a person is told that it is under way.
const PATIENCE: Duration = Duration::from_millis(600);

/// Something under way.
pub struct Progress(ProgressBar);

impl Progress {
    /// Runs a request; shows a spinner if it takes long.
    pub async fn watch<T>(request: &Request, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        tokio::select! {
            result = &mut work => return result,
            () = tokio::time::sleep(PATIENCE) => {}
        }
        let spinner = Self::spinner(&format!("waiting for the server: {request:?}"));
        let result = work.await;
        spinner.end();
        result
    }

    /// Something whose end is not known.
    pub fn spinner(message: &str) -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.set_message(message.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        Self(bar)
    }

    /// Something of so many steps.
    pub fn bar(message: &str, steps: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(steps), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{msg} [{bar:30}] {pos}/{len} ({eta} left)") {
            bar.set_style(style);
        }
        bar.set_message(message.to_owned());
        Self(bar)
    }

    /// One step further.
    pub fn step(&self) {
        self.0.inc(1);
    }

    /// Done; leaves nothing behind.
    pub fn end(self) {
        self.0.finish_and_clear();
    }
}
