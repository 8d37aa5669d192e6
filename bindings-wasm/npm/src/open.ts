/** Opening an export: its manifests are read, and nothing else. */

import { type BatchReader, readBatches } from "./read.js";
import { type OutputStream, convert, convertToText } from "./convert.js";
import type { Pushed, WorkOptions } from "./drive.js";
import { call, usage } from "./error.js";
import type { NdjsonOptions, ReadOptions, TextOptions } from "./options.js";
import { type Schema, inferSchema } from "./schema.js";
import { type Bytes, type ExportSource, filesOf, isBytes, isIterable, readPart, sizeOf } from "./source.js";
import { type VerifyReport, verify } from "./verify.js";
import { type Export as Handle, Files } from "./wasm/dynarrow_wasm.js";

/** The summary manifest as it stands in the export, members unknown here included. */
export interface ExportSummary {
  /** `2020-06-30` for full exports, `2023-08-01` for incremental ones. */
  readonly version?: string | null;
  readonly exportArn?: string | null;
  readonly startTime?: string | null;
  readonly endTime?: string | null;
  readonly tableArn?: string | null;
  readonly tableId?: string | null;
  /** The moment whose state a full export holds. */
  readonly exportTime?: string | null;
  /** The window of an incremental export: from this moment on … */
  readonly exportFromTime?: string | null;
  /** … and before this one. */
  readonly exportToTime?: string | null;
  readonly s3Bucket?: string | null;
  readonly s3Prefix?: string | null;
  readonly manifestFilesS3Key?: string | null;
  readonly billedSizeBytes?: number | null;
  readonly itemCount?: number | null;
  readonly outputFormat?: "DYNAMODB_JSON" | "ION" | null;
  readonly outputView?: "NEW_IMAGE" | "NEW_AND_OLD_IMAGES" | null;
  /** Full exports may leave it out. */
  readonly exportType?: "FULL_EXPORT" | "INCREMENTAL_EXPORT" | null;
  readonly [member: string]: unknown;
}

/** A data file. */
export interface DataFile {
  /** What messages call it: its key in the manifest, where there is one. */
  readonly name: string;
  /** Its key in the source that was opened; null where it is missing. */
  readonly key: string | null;
  /** Compressed bytes. */
  readonly size: number | null;
  /** What the manifest says; null where there is none. */
  readonly itemCount: number | null;
  readonly md5Checksum: string | null;
  readonly etag: string | null;
}

/** How a source is opened. */
export interface OpenOptions {
  /** Bytes that are read of a file at a time; 1 MiB by default. */
  readonly chunkSize?: number | undefined;
  /** The format of the data files, where neither the manifest nor the bytes are to say it. */
  readonly format?: SourceFormat | undefined;
}

const FORMATS = ["dynamodb_json", "ion", "legacy", "ndjson"] as const;

/**
 * A format that is read: DynamoDB JSON, Amazon Ion (text or binary), lines of a legacy dump (AWS Data
 * Pipeline, the EMR connector), or plain JSON.
 */
export type SourceFormat = (typeof FORMATS)[number];

const CHUNK = 1 << 20;

/**
 * Opens an export, or data files without manifests. Only manifests are read.
 *
 * @throws {DynarrowError} `E_NOT_FOUND`, `E_SEVERAL_EXPORTS`, `E_MANIFEST`, `E_KEY`, …
 */
export async function openExport(source: ExportSource, options?: OpenOptions): Promise<Export> {
  if (isBytes(source)) {
    const name = "name" in source && typeof source.name === "string" ? source.name : "input";
    return openFiles(new Map([[name, source]]), { file: name, name }, options);
  }
  if (!isIterable(source)) throw usage("a source is a Map of files, a FileList, or the bytes of one file; paths work in Node only");
  return openFiles(filesOf(source), { folder: "", name: "input" }, options);
}

/** What is opened of the files: an export in a folder of them (`""` for all), or one data file. */
export type Place = { readonly name: string; readonly root?: string } & ({ readonly folder: string } | { readonly file: string });

export async function openFiles(sources: ReadonlyMap<string, Bytes>, place: Place, options?: OpenOptions): Promise<Export> {
  const chunkSize = options?.chunkSize ?? CHUNK;
  if (!Number.isInteger(chunkSize) || chunkSize < 1) throw usage("chunkSize must be a whole number of at least 1");
  const format = options?.format;
  if (format !== undefined && !FORMATS.includes(format)) throw usage(`format must be one of ${FORMATS.join(", ")}`);
  const files = new Files(place.root ?? "");
  for (const [key, bytes] of sources) {
    if (Files.is_manifest(key)) files.add_manifest(key, await readPart(bytes, 0, sizeOf(bytes), key));
    else files.add(key, sizeOf(bytes));
  }
  const handle = call(() => ("file" in place ? files.open_file(place.file, place.name) : files.open(place.folder, place.name)));
  return new Export(format === undefined ? handle : call(() => handle.with_format(format)), sources, chunkSize);
}

/**
 * An opened export. It keeps what was learnt of its items, so that a schema is learnt once.
 * {@link free} gives its memory back; else the garbage collector does.
 */
export class Export {
  /** The summary manifest, or null where there is none. */
  readonly summary: ExportSummary | null;
  /** The data files, in the order of the manifest, or in byte order of their names. */
  readonly files: readonly DataFile[];
  #handle: Handle | null;
  readonly #open: OpenExport;

  /** @internal */
  constructor(handle: Handle, sources: ReadonlyMap<string, Bytes>, chunkSize: number) {
    this.summary = handle.summary() as ExportSummary | null;
    this.files = handle.files() as DataFile[];
    this.#handle = handle;
    const files = this.files.map(({ name, key }) => ({ name, bytes: key === null ? null : (sources.get(key) ?? null) }));
    const live = (): Handle => {
      if (this.#handle === null) throw usage("this export was freed");
      return this.#handle;
    };
    this.#open = {
      files,
      chunkSize,
      get handle() {
        return live();
      },
    };
  }

  /** Checks manifests and data files: checksums, etags, counts, missing files. All findings, not the first. */
  verify(options?: WorkOptions): Promise<VerifyReport> {
    return verify(this.#open, options);
  }

  /** The schema of all items; nothing is sampled unless `sample` asks for it. */
  inferSchema(options?: ReadOptions): Promise<Schema> {
    return inferSchema(this.#open, options);
  }

  /**
   * The items as record batches. Each is a whole Arrow IPC stream, uncompressed, all of one
   * schema. Where it was not learnt before, it is learnt first.
   */
  readBatches(options?: ReadOptions): BatchReader {
    return readBatches(this.#open, options);
  }

  /** The items as a Parquet file (snappy), a row group at a time. */
  toParquet(options?: ReadOptions): OutputStream {
    return convert(this.#open, "to_parquet", options);
  }

  /** The items as one Arrow IPC stream, uncompressed, a batch at a time. */
  toArrow(options?: ReadOptions): OutputStream {
    return convert(this.#open, "to_arrow", options);
  }

  /**
   * The items as lines of DynamoDB JSON, as an export has them: `{"Item":{…}}`. Ion becomes
   * JSON with nothing lost. `.pipeThrough(new CompressionStream("gzip"))` compresses.
   */
  toDynamodbJson(options?: TextOptions): OutputStream {
    return convertToText(this.#open, "dynamodb_json", options);
  }

  /** The items as lines of Amazon Ion text, as an export has them: `$ion_1_0 {Item:{…}}`. */
  toIon(options?: TextOptions): OutputStream {
    return convertToText(this.#open, "ion", options);
  }

  /** The items as plain JSON lines: binary as base64, sets as arrays. */
  toNdjson(options?: NdjsonOptions): OutputStream {
    return convertToText(this.#open, "ndjson", options);
  }

  /** Gives the memory back. What is under way goes on; nothing new begins. */
  free(): void {
    this.#handle?.free();
    this.#handle = null;
  }

  [Symbol.dispose](): void {
    this.free();
  }
}

/** What the verbs need of an export. */
export interface OpenExport extends Pushed {
  /** @throws where the export was freed */
  readonly handle: Handle;
}
