//! Lines to anything that may block: a bounded queue, a thread that writes, and a deadline for each entry.

use super::DeviceError;
use super::chain::Chain;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// Entries that may wait.
const ENTRIES_MAX: usize = 1_024;
/// How long an entry may take.
pub(super) const DEADLINE: Duration = Duration::from_secs(2);

/// Writes bytes somewhere, and may block.
pub(super) trait Output: Send + 'static {
    /// Writes whole lines.
    fn write(&mut self, lines: &[u8]) -> std::io::Result<()>;
}

pub(super) struct QueueSink {
    queue: SyncSender<Job>,
}

struct Job {
    objects: Vec<Vec<u8>>,
    done: oneshot::Sender<std::io::Result<()>>,
}

impl QueueSink {
    /// Starts the thread of an output. It ends when the sink is dropped and the output gives up what blocks it.
    pub(super) fn start(mut output: impl Output) -> Result<Self, DeviceError> {
        let (queue, jobs) = sync_channel::<Job>(ENTRIES_MAX);
        std::thread::Builder::new().name("audit".into()).spawn(move || {
            let mut chain = Chain::default();
            while let Ok(job) = jobs.recv() {
                // Whoever waited has given up: the entry counts as not stored, so it is not written late.
                if job.done.is_closed() {
                    continue;
                }
                let mut next = chain.clone();
                let mut lines = Vec::new();
                for object in &job.objects {
                    next.append(object, &mut lines);
                }
                // A panic in an output is an error of this entry; the device goes on.
                let result = catch_unwind(AssertUnwindSafe(|| output.write(&lines)))
                    .unwrap_or_else(|_| Err(std::io::Error::other("audit output panicked")));
                if result.is_ok() {
                    chain = next;
                }
                drop(job.done.send(result));
            }
        })?;
        Ok(Self { queue })
    }

    /// Hands over an entry, which has its deadline from now on.
    pub(super) fn queue(&self, objects: Vec<Vec<u8>>) -> Result<Queued, DeviceError> {
        let (done, written) = oneshot::channel();
        self.queue.try_send(Job { objects, done }).map_err(|error| match error {
            TrySendError::Full(_) => DeviceError::Deadline,
            TrySendError::Disconnected(_) => DeviceError::Options("audit device has stopped".into()),
        })?;
        Ok(Queued { written, deadline: Instant::now() + DEADLINE })
    }
}

/// An entry that was handed over.
pub(super) struct Queued {
    written: oneshot::Receiver<std::io::Result<()>>,
    deadline: Instant,
}

impl Queued {
    /// Waits until it is written, or its deadline passes. An entry that was given up is not written later.
    pub(super) async fn written(self) -> Result<(), DeviceError> {
        match tokio::time::timeout_at(self.deadline, self.written).await {
            Ok(Ok(result)) => Ok(result?),
            Ok(Err(_)) => Err(DeviceError::Options("audit device has stopped".into())),
            Err(_) => Err(DeviceError::Deadline),
        }
    }
}
