/** Reading record batches, each as an Arrow IPC stream of its own. */

import { Watch, drive } from "./drive.js";
import { type ErrorDetails, call } from "./error.js";
import type { OpenExport } from "./open.js";
import type { ReadOptions } from "./options.js";
import { withSchema } from "./schema.js";

/** What was read, and what was not. */
export interface ReadReport {
  /** Files that were read to their end. */
  readonly files: number;
  /** Good items. */
  readonly items: number;
  /** Records that were passed over. */
  readonly skipped: number;
  /** The errors of the first of them. */
  readonly errors: readonly ErrorDetails[];
  /** Compressed bytes. */
  readonly bytesIn: number;
  /** Inflated bytes. */
  readonly bytesInflated: number;
  /** What was lost, or found no place. */
  readonly losses: Losses;
}

/** What the columns lost, counted. */
export interface Losses {
  /** Numbers that a float64 or a `decimal(p,s)` column rounded. */
  readonly rounded: Loss;
  /** Numbers that overflow a `decimal(p,s)` column: null. */
  readonly overflowed: Loss;
  /** Values that a frozen schema has no place for: in `_extra`, or dropped. */
  readonly extra: Loss;
}

/** One way of losing. */
export interface Loss {
  readonly count: number;
  /** The path of the first of them, with indices: `lines[3].qty`. */
  readonly path?: string;
  /** What stood there. */
  readonly value?: string;
}

/** Record batches as Arrow IPC streams; each iteration reads the export anew. */
export class BatchReader implements AsyncIterable<Uint8Array<ArrayBuffer>> {
  /** What the last iteration that ended came to. */
  report: ReadReport | null = null;
  readonly #open: OpenExport;
  readonly #options: ReadOptions | undefined;

  /** @internal */
  constructor(open: OpenExport, options: ReadOptions | undefined) {
    this.#open = open;
    this.#options = options;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
    const watch = new Watch(this.#options, this.#open.files);
    const pass = await withSchema(this.#open, this.#options, watch, 1, (handle, options) => handle.read(options));
    try {
      for await (const _ of drive(pass, this.#open, watch)) yield* ready(pass);
      call(() => pass.finish());
      yield* ready(pass);
    } finally {
      this.report = pass.report() as ReadReport;
      pass.free();
    }
  }
}

export function readBatches(open: OpenExport, options: ReadOptions | undefined): BatchReader {
  return new BatchReader(open, options);
}

function* ready(pass: { next_batch(): Uint8Array | undefined }): Generator<Uint8Array<ArrayBuffer>, void> {
  for (let batch = call(() => pass.next_batch()); batch !== undefined; batch = call(() => pass.next_batch())) {
    // The glue copies what it hands out.
    yield batch as Uint8Array<ArrayBuffer>;
  }
}
