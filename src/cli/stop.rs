//! Ctrl-C and `--deadline` set one flag: the run finishes, what was seen is reported. A second
//! Ctrl-C ends the program at once.

use std::{sync::Arc, thread, time::Duration};

use keymuster_api::Cancel;

use super::exit;

/// Starts watching; the flag lives as long as the program.
pub(super) fn watch(deadline: Option<Duration>) -> Arc<Cancel> {
    let cancel = Arc::new(Cancel::new());
    #[cfg(unix)]
    if let Ok(mut signals) = signal_hook::iterator::Signals::new([
        signal_hook::consts::SIGINT,
        signal_hook::consts::SIGTERM,
    ]) {
        let cancel = Arc::clone(&cancel);
        thread::spawn(move || {
            let mut asked = false;
            for _ in signals.forever() {
                if asked {
                    exit::stopped();
                }
                asked = true;
                super::note(
                    "stopping: what was seen so far is reported; press Ctrl-C once more to end at once",
                );
                cancel.cancel();
            }
        });
    }
    if let Some(deadline) = deadline {
        let cancel = Arc::clone(&cancel);
        thread::spawn(move || {
            thread::sleep(deadline);
            cancel.cancel();
        });
    }
    cancel
}
