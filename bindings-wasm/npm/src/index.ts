/** What the package offers everywhere. The entries `node.ts` and `browser.ts` load the wasm first. */

export type { OutputStream } from "./convert.js";
export type { Progress, WorkOptions } from "./drive.js";
export { DynarrowError, type ErrorDetails } from "./error.js";
export { type DataFile, type Export, type ExportSummary, type OpenOptions, openExport } from "./open.js";
export type { ReadOptions } from "./options.js";
export type { BatchReader, ReadReport } from "./read.js";
export type { Descriptor, Digits, Schema, SchemaDocument, SchemaField, SchemaType } from "./schema.js";
export type { Bytes, ExportSource, Sliceable } from "./source.js";
export type { Finding, VerifyReport } from "./verify.js";
export { version } from "./wasm/dynarrow_wasm.js";
