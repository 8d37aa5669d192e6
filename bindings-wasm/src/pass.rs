//! What the passes of all verbs have in common: taking bytes.

/// The methods by which `drive.ts` pushes files into a struct with a `PushPass` named `pass`.
macro_rules! pushed {
    ($name:ident) => {
        pushed!($name, |this| this.pass.file());
    };
    ($name:ident, |$this:ident| $file:expr) => {
        #[wasm_bindgen]
        impl $name {
            /// The place in the list of the file that is read.
            #[wasm_bindgen(getter)]
            pub fn file(&self) -> usize {
                let $this = self;
                $file
            }

            /// Good items so far.
            #[wasm_bindgen(getter)]
            pub fn items(&self) -> f64 {
                self.pass.totals().items as f64
            }

            /// Takes the next chunk of the file.
            pub fn push(&mut self, chunk: &[u8]) {
                self.pass.push(chunk);
            }

            /// The file is at its end.
            pub fn end(&mut self) {
                self.pass.end();
            }
        }
    };
}

pub(crate) use pushed;
