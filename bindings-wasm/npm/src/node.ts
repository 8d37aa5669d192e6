/** The entry in Node: the wasm comes from disk, before anything else of the package runs. */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Export, type OpenOptions, openExport as openSource } from "./open.js";
import { objectsAt, openPath } from "./path.js";
import type { ExportSource } from "./source.js";
import {
  type ImportKey,
  type ImportReport,
  type ImportTableDocument,
  type ValidateOptions,
  validateImport as validateSource,
  validateObjects,
} from "./validate.js";
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

/**
 * Checks what `ImportTable` would do with objects, before AWS bills for it: what would be imported and
 * what refused, by the measured rules. An import that would fail is a report whose `ok` is false.
 *
 * Each object is read once, in chunks. For duplicates the keys of all items are kept in memory.
 *
 * @param files The path or `file:` URL of a folder that stands for the bucket, or of the only object; or what a
 *   browser has, too. Nothing is left out: manifests and hidden files are objects, too.
 * @param table What the import is asked for, or the key alone.
 * @throws {DynarrowError} `E_TABLE_SPEC`: AWS would refuse the request. `E_NOT_FOUND`, `E_USAGE`, `E_FORMAT`, …
 */
export async function validateImport(
  files: string | URL | ExportSource,
  table: ImportTableDocument | ImportKey,
  options?: ValidateOptions,
): Promise<ImportReport> {
  if (typeof files === "string") return validateObjects(await objectsAt(files), table, options);
  if (files instanceof URL) return validateObjects(await objectsAt(fileURLToPath(files)), table, options);
  return validateSource(files, table, options);
}
