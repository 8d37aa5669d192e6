/** What the package offers everywhere. The entries `node.ts` and `browser.ts` load the wasm first. */

export type { OutputStream } from "./convert.js";
export type { Progress, WorkOptions } from "./drive.js";
export { DynarrowError, type ErrorDetails } from "./error.js";
export { type DataFile, type Export, type ExportSummary, type OpenOptions, type SourceFormat, openExport } from "./open.js";
export type { Extra, Layout, Maps, Mixed, NdjsonOptions, Numbers, Override, Overrides, ReadOptions, TextOptions } from "./options.js";
export type { BatchReader, Loss, Losses, ReadReport } from "./read.js";
export { type Descriptor, type Digits, Schema, type SchemaColumn, type SchemaDocument, type SchemaField, type SchemaType } from "./schema.js";
export type { Bytes, ExportSource, Sliceable } from "./source.js";
export {
  type Assumed,
  type Duplicates,
  type ImportFinding,
  type ImportKey,
  type ImportLogEntry,
  type ImportPointer,
  type ImportReport,
  type ImportTableDescription,
  type ImportTableDocument,
  type ImportUnknown,
  type LocatedEntry,
  type ValidateOptions,
  validateImport,
} from "./validate.js";
export type { Finding, VerifyReport } from "./verify.js";
export { version } from "./wasm/dynarrow_wasm.js";
