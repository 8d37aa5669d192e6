//! Writes the JavaScript glue of a wasm file, as `wasm-bindgen --target web` does, by the library
//! behind that command: the lock file then gives it the version of the crate, and the command's
//! own dependencies (a web server and client) need not be built.

use std::process::ExitCode;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let [_, wasm, out] = &*std::env::args().collect::<Vec<_>>() else {
        eprintln!("usage: dynarrow-bindgen WASM OUT_FOLDER");
        return ExitCode::from(2);
    };
    let mut bindgen = Bindgen::new();
    // What the command sets where it is not told otherwise.
    bindgen.input_path(wasm).typescript(true).omit_default_module_path(false);
    match bindgen.web(true).and_then(|bindgen| bindgen.generate(out)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
