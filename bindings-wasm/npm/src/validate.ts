/** The dry run of `ImportTable`. */

import { type OpenFile, Watch, type WorkOptions, drive } from "./drive.js";
import { call, usage } from "./error.js";
import { type Bytes, type ExportSource, filesOf, isBytes, isIterable, readPart, sizeOf } from "./source.js";
import { Files, Import } from "./wasm/dynarrow_wasm.js";

/** What `ImportTable` is asked for: the JSON document of `aws dynamodb import-table --cli-input-json`. */
export interface ImportTableDocument {
  readonly S3BucketSource: { readonly S3Bucket: string; readonly S3KeyPrefix?: string; readonly S3BucketOwner?: string };
  readonly InputFormat: "DYNAMODB_JSON" | "ION" | "CSV";
  readonly InputFormatOptions?: { readonly Csv?: { readonly Delimiter?: string; readonly HeaderList?: readonly string[] } };
  readonly InputCompressionType?: "GZIP" | "ZSTD" | "NONE";
  readonly TableCreationParameters: { readonly [member: string]: unknown };
  readonly [member: string]: unknown;
}

/**
 * In place of the document the key alone: `NAME:TYPE` of the partition key and, where there is one, of
 * the sort key, with a type of `S`, `N` or `B`. Format and compression are told from the bytes of the first object.
 */
export interface ImportKey {
  readonly key: readonly string[];
}

/** Something of which nobody has measured what an import does with it; `docs/validate.md` has what each means. */
export type ImportUnknown =
  | "value_faults"
  | "json_array"
  | "json_document"
  | "beside_item"
  | "duplicate_attributes"
  | "not_utf8"
  | "byte_order_mark"
  | "ion_types"
  | "ion_binary"
  | "csv_columns"
  | "csv_header";

/** What is assumed of it: nothing, that it is imported, that it costs its item, or the rest of its object. */
export type Assumed = "unverified" | "accept" | "item" | "object";

/** How an import is checked. */
export interface ValidateOptions extends WorkOptions {
  /** Only objects whose keys begin with this: a plain string, no folder, as `S3KeyPrefix`. */
  readonly prefix?: string | undefined;
  /** What is unverified is an error. */
  readonly strict?: boolean | undefined;
  /** What to assume of what nobody has measured. */
  readonly assume?: { readonly [name in ImportUnknown]?: Assumed } | undefined;
  /** Called with each entry of the error log, also with those that the report has no room for. */
  readonly errorLog?: ((entry: ImportLogEntry) => void) | undefined;
  /** The text of AWS's own error log of an import of these objects: where its items are. */
  readonly log?: string | undefined;
  /** Findings in the report, at most; 1,000 by default. The rest is counted. */
  readonly maxFindings?: number | undefined;
  /** The price of importing 2^30 bytes, to say what the import costs. */
  readonly pricePerGb?: number | undefined;
  /** The region of the import: limits differ. */
  readonly region?: string | undefined;
  /** Bytes that are read of an object at a time; 1 MiB by default. */
  readonly chunkSize?: number | undefined;
}

/** One thing that was found. What is not known is null. */
export interface ImportFinding {
  /** `"error"`: the import fails. `"unverified"`: nobody knows whether it does. `"advice"`: worth knowing. */
  readonly level: "error" | "unverified" | "advice";
  /** What it is: `E_…`. */
  readonly code: string;
  /** The object; null for what is said of all of them. */
  readonly key: string | null;
  /** The item in the object, from 0: `itemIndex` in AWS's log. */
  readonly item: number | null;
  /** The line, from 1. */
  readonly line: number | null;
  /** The byte in the decompressed object, from 0. */
  readonly byte: number | null;
  /** The attribute: `a.b[].c`. */
  readonly path: string | null;
  /** What is wrong, in the words of the service where they are known. */
  readonly messages: readonly string[];
  /** Whether the service comes so far: it stops an object at its first record that cannot be read. */
  readonly reached: boolean;
  /** What nobody knows of it: a name for `assume`. */
  readonly unknown: ImportUnknown | null;
}

/** An entry of the error log, as `ImportTable` writes it to CloudWatch, with what else is known under `dynarrow`. */
export interface ImportLogEntry {
  readonly itemS3Pointer: { readonly bucket: string | null; readonly key: string | null; readonly itemIndex: number | null };
  readonly errorMessages: readonly string[];
  readonly dynarrow: Pick<ImportFinding, "level" | "code" | "reached" | "line" | "byte" | "path" | "unknown">;
}

/** What `DescribeImport` would say of the import. */
export interface ImportTableDescription {
  readonly ImportStatus: "COMPLETED" | "FAILED";
  readonly S3BucketSource?: unknown;
  readonly InputFormat: "DYNAMODB_JSON" | "ION" | "CSV";
  readonly InputFormatOptions?: unknown;
  readonly InputCompressionType: "GZIP" | "ZSTD" | "NONE";
  readonly TableCreationParameters: unknown;
  readonly ErrorCount: number;
  readonly ProcessedSizeBytes: number;
  readonly ProcessedItemCount: number;
  readonly ImportedItemCount: number;
  readonly FailureCode?: string;
  readonly FailureMessage?: string;
}

/** Where an item is. */
export interface ImportPointer {
  /** The object. */
  readonly key: string;
  /** The item in it, from 0. */
  readonly item: number;
}

/** Items that have one key: they overwrite each other in silence. */
export interface Duplicates {
  /** Keys that several items have. */
  readonly keys: number;
  /** Items that overwrite another, or are overwritten: all but one of each key. */
  readonly items: number;
  /** The first of the keys: attributes and their values as text, how many items, and the first two of them. */
  readonly examples: readonly {
    readonly key: { readonly [attribute: string]: string };
    readonly items: number;
    readonly first: ImportPointer;
    readonly second: ImportPointer;
  }[];
}

/** Where an entry of AWS's error log is. */
export interface LocatedEntry extends ImportPointer {
  /** What AWS says. */
  readonly messages: readonly string[];
  /** The line, from 1; null where the object or the item is not here. */
  readonly line: number | null;
  /** The byte in the decompressed object, from 0. */
  readonly byte: number | null;
  /** The attribute, where the dry run finds a fault there. */
  readonly path: string | null;
  /** What the dry run says of the item. */
  readonly found: readonly string[];
}

/** What a dry run came to. */
export interface ImportReport {
  /** The import has no errors. */
  readonly ok: boolean;
  /** What `DescribeImport` would say; its members have AWS's names. */
  readonly description: ImportTableDescription;
  /** What is read; `told`: nobody said so, the bytes of the first object did. */
  readonly input: {
    readonly format: "DYNAMODB_JSON" | "ION" | "CSV";
    readonly compression: "GZIP" | "ZSTD" | "NONE";
    readonly delimiter: string | null;
    readonly told: boolean;
  };
  /** Objects under the prefix. */
  readonly objects: number;
  /** Of them, those that the service stops reading before their end. */
  readonly stopped: number;
  /** Errors that the service counts. */
  readonly errors: number;
  /** Findings of which nobody knows whether they are errors. */
  readonly unverified: number;
  /** Findings behind the points where the service stops. */
  readonly beyond: number;
  /** Items that can be read, also behind those points. */
  readonly items: number;
  /** Decompressed bytes of all objects: what AWS bills. */
  readonly bytes: number;
  /** Bytes of all items, as DynamoDB counts them. */
  readonly itemBytes: number;
  /** What the import costs, by the price that was given. */
  readonly price: number | null;
  /** What was found, in the order of the objects; advice behind it. */
  readonly findings: readonly ImportFinding[];
  /** Findings that are not in the list, which was full. */
  readonly omitted: number;
  readonly duplicates: Duplicates;
  /** Where the entries of `log` are. */
  readonly located: readonly LocatedEntry[];
}

const CHUNK = 1 << 20;

/** The objects of an import; `only` one, whatever the prefix. Messages put `root` before their keys. */
export interface ImportObjects {
  readonly files: ReadonlyMap<string, Bytes>;
  readonly only: boolean;
  readonly root: string;
}

/**
 * Checks what `ImportTable` would do with objects, before AWS bills for it: what would be imported and
 * what refused, by the measured rules. An import that would fail is a report whose `ok` is false.
 *
 * Each object is read once, in chunks. For duplicates the keys of all items are kept in memory.
 *
 * @param files The bucket's objects under their keys, what a file input or a dropped folder gives, or the
 *   bytes of the only object. Nothing is left out: manifests are objects, too.
 * @param table What the import is asked for, or the key alone.
 * @throws {DynarrowError} `E_TABLE_SPEC`: AWS would refuse the request. `E_USAGE`, `E_FORMAT`, `E_IO`, …
 */
export async function validateImport(
  files: ExportSource,
  table: ImportTableDocument | ImportKey,
  options?: ValidateOptions,
): Promise<ImportReport> {
  if (isBytes(files)) {
    const name = "name" in files && typeof files.name === "string" ? files.name : "input";
    return validateObjects({ files: new Map([[name, files]]), only: true, root: "" }, table, options);
  }
  if (!isIterable(files)) throw usage("files are a Map of objects, a FileList, or the bytes of one object; paths work in Node only");
  return validateObjects({ files: filesOf(files), only: false, root: "" }, table, options);
}

export async function validateObjects(
  objects: ImportObjects,
  table: ImportTableDocument | ImportKey,
  { chunkSize = CHUNK, errorLog, signal, onProgress, ...rest }: ValidateOptions = {},
): Promise<ImportReport> {
  if (!Number.isInteger(chunkSize) || chunkSize < 1) throw usage("chunkSize must be a whole number of at least 1");
  const handle = new Files(objects.root);
  for (const [key, bytes] of objects.files) handle.add(key, sizeOf(bytes));
  const prepared = call(() => handle.import(JSON.stringify(table) ?? "null", JSON.stringify(rest), objects.only));
  const files: OpenFile[] = prepared.keys().map((key) => ({ name: objects.root + key, bytes: objects.files.get(key) ?? null }));
  const watch = new Watch({ signal, onProgress }, files);
  const first = await firstBytes(prepared, objects);
  const pass = call(() => prepared.validate(first, errorLog !== undefined));
  watch.expect(1);
  let ended = false;
  try {
    for await (const _ of drive(pass, { files, chunkSize }, watch)) {
      if (errorLog !== undefined) for (const entry of pass.take_log() as ImportLogEntry[]) errorLog(entry);
    }
    ended = true;
  } finally {
    if (!ended) pass.free();
  }
  return call(() => pass.finish() as ImportReport);
}

/** What tells the format and compression that the table does not say. */
async function firstBytes(prepared: Import, { files, root }: ImportObjects): Promise<Uint8Array> {
  const key = prepared.telling;
  const bytes = key === undefined ? undefined : files.get(key);
  if (bytes === undefined) return new Uint8Array();
  return readPart(bytes, 0, Math.min(Import.peeked(), sizeOf(bytes)), root + key);
}
