/** The entry in Node: the wasm comes from disk, before anything else of the package runs. */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Export, type OpenOptions, openExport as openSource } from "./open.js";
import { openPath } from "./path.js";
import type { ExportSource } from "./source.js";
import { initSync } from "./wasm/dynarrow_wasm.js";

initSync({ module: readFileSync(new URL("./wasm/dynarrow_wasm_bg.wasm", import.meta.url)) });

export * from "./index.js";

/**
 * Opens an export, or data files without manifests: by path or `file:` URL, or from what a
 * browser has too. Only manifests are read.
 *
 * @throws {DynarrowError} `E_NOT_FOUND`, `E_SEVERAL_EXPORTS`, `E_MANIFEST`, `E_KEY`, …
 */
export async function openExport(source: string | URL | ExportSource, options?: OpenOptions): Promise<Export> {
  if (typeof source === "string") return openPath(source, options);
  if (source instanceof URL) return openPath(fileURLToPath(source), options);
  return openSource(source, options);
}
