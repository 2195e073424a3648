//! What a function wrote to its log.

use std::io;
use std::sync::{Arc, Mutex};

use function::logging;
use tracing::Level;
use tracing::subscriber::DefaultGuard;

/// Everything logged on this thread during its lifetime, at every level.
pub struct Log {
    lines: Lines,
    _guard: DefaultGuard,
}

impl Log {
    /// The log of the crates `ours`, formatted and filtered as in production.
    pub fn of(ours: &[&'static str]) -> Log {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = logging::subscriber(ours, Level::TRACE, move || writer.clone());
        Log { lines, _guard: tracing::subscriber::set_default(subscriber) }
    }

    /// The lines written so far, one JSON object each.
    pub fn text(&self) -> String {
        String::from_utf8(self.lines.0.lock().unwrap().clone()).unwrap()
    }
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
