/** The entry in Node: the wasm comes from disk, before anything else of the package runs. */

import { readFileSync } from "node:fs";
import { initSync } from "./wasm/dynarrow_wasm.js";

initSync({ module: readFileSync(new URL("./wasm/dynarrow_wasm_bg.wasm", import.meta.url)) });

export * from "./index.js";
