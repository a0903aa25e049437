//! Progress on stderr, for terminals only: bytes, objects, time left.

use std::{
    io::IsTerminal as _,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use keymuster_api::Progress;

/// The bar. Hidden where stderr is no terminal, or nobody wants it.
pub(super) struct Bar {
    bar: ProgressBar,
    objects: AtomicU64,
}

impl Bar {
    pub(super) fn new(wanted: Option<bool>) -> Bar {
        let is_shown = wanted.unwrap_or_else(|| std::io::stderr().is_terminal());
        let target = if is_shown {
            ProgressDrawTarget::stderr_with_hz(8)
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        let style = ProgressStyle::with_template("{spinner:.dim} {msg:10} {wide_bar:.cyan/dim} {bytes:>10} of {total_bytes:10} {prefix:>12} {eta:>4} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style.progress_chars("━╸─"));
        if is_shown {
            bar.enable_steady_tick(Duration::from_millis(250));
        }
        Bar {
            bar,
            objects: AtomicU64::new(0),
        }
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Bar {
    fn expect(&self, bytes: u64, _objects: u64) {
        self.bar.inc_length(bytes);
    }

    fn advance(&self, bytes: u64, objects: u64) {
        let total = self.objects.fetch_add(objects, Relaxed) + objects;
        if !self.bar.is_hidden() {
            self.bar.set_prefix(format!("{total} objects"));
        }
        self.bar.inc(bytes);
    }

    fn phase(&self, name: &str) {
        self.bar.set_message(name.to_owned());
    }
}
