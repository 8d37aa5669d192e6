//! The command `dynarrow`: see the library of this crate.

use std::sync::atomic::{AtomicBool, Ordering};

use dynarrow::Control;

fn main() {
    let control = Control::default();
    let handler = {
        let control = control.clone();
        let again = AtomicBool::new(false);
        move || {
            // The work stops at its next block and cleans up; who cannot wait says so.
            if again.swap(true, Ordering::Relaxed) {
                std::process::exit(dynarrow_cli::INTERRUPTED);
            }
            control.cancel();
        }
    };
    // Without a handler Ctrl-C ends the process as ever; that is no reason not to work.
    let _ = ctrlc::set_handler(handler);
    std::process::exit(dynarrow_cli::run(std::env::args_os(), &control));
}
