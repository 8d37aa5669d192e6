/** What the package offers everywhere. The entries `node.ts` and `browser.ts` load the wasm first. */

export { version } from "./wasm/dynarrow_wasm.js";
