/** The entry in browsers: the wasm is fetched from beside this module; importers wait for it. */

import init from "./wasm/dynarrow_wasm.js";

await init({ module_or_path: new URL("./wasm/dynarrow_wasm_bg.wasm", import.meta.url) });

export * from "./index.js";
