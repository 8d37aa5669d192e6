/** Converting to one file: Parquet, an Arrow IPC stream, or lines of text. */

import { type Pass, Watch, type WorkOptions, drive } from "./drive.js";
import { DynarrowError, call } from "./error.js";
import { withGuess } from "./guess.js";
import type { OpenExport } from "./open.js";
import type { NdjsonOptions, ReadOptions, TextOptions } from "./options.js";
import type { ReadReport } from "./read.js";
import { withSchema } from "./schema.js";

/** A pass that makes a file. */
interface Writing extends Pass {
  /** Bytes that are complete. */
  take(): Uint8Array | undefined;
  /** All files were pushed: the rest. */
  finish(): Uint8Array;
  report(): unknown;
}

/** How an output is made. */
interface Making {
  readonly open: OpenExport;
  readonly options: WorkOptions | undefined;
  /** Begins the last pass, when those before it are done. */
  begin(watch: Watch): Promise<Writing>;
  /** Begins the one pass that may do. It fails in `E_CHANGED` where it does not: what it made is void. */
  guess?(watch: Watch): Promise<Writing | undefined>;
}

type Part = Uint8Array<ArrayBuffer>;

type Keep = (report: ReadReport | null) => void;

/** The bytes of a file while it is made. Nothing is made ahead of who reads it. */
export class OutputStream extends ReadableStream<Part> {
  /** What was read, when the stream has ended, failed or was cancelled. */
  report: ReadReport | null = null;
  readonly #making: Making;
  readonly #keep: Keep;

  /** @internal */
  constructor(making: Making) {
    const keep: Keep = (report) => {
      this.report = report;
    };
    const parts = stream(making, keep);
    super(
      {
        async pull(controller) {
          const part = await parts.next();
          if (part.done) controller.close();
          else controller.enqueue(part.value);
        },
        async cancel() {
          await parts.return();
        },
      },
      { highWaterMark: 0 },
    );
    this.#making = making;
    this.#keep = keep;
  }

  /**
   * The whole file, in memory; the stream is cancelled. A large export is read once, as what its
   * columns are is guessed from a part of it. Only where an item does not fit is it learnt, and all
   * made again: the file is the same.
   */
  async bytes(): Promise<Part> {
    // The lock: nobody else reads.
    const reader = this.getReader();
    try {
      return await whole(this.#making, this.#keep);
    } finally {
      await reader.cancel();
      reader.releaseLock();
    }
  }
}

/** Columns, whose schema is learnt before where it was not yet. */
export function convert(open: OpenExport, format: "to_parquet" | "to_arrow", options: ReadOptions | undefined): OutputStream {
  return new OutputStream({
    open,
    options,
    begin: (watch) => withSchema<Writing>(open, options, watch, 1, (handle, parsed) => handle[format](parsed)),
    guess: (watch) => withGuess<Writing>(open, options, watch, (handle, parsed, guess) => handle[format](parsed, guess)),
  });
}

/** Lines, for which nothing is to be known before. */
export function convertToText(open: OpenExport, format: "dynamodb_json" | "ion" | "ndjson", options: TextOptions | NdjsonOptions | undefined): OutputStream {
  return new OutputStream({
    open,
    options,
    async begin(watch) {
      watch.expect(1);
      return call(() => open.handle.to_text(format, options));
    },
  });
}

async function* stream(making: Making, keep: Keep): AsyncGenerator<Part, void> {
  const watch = new Watch(making.options, making.open.files);
  yield* written(await making.begin(watch), making.open, watch, keep);
}

async function whole(making: Making, keep: Keep): Promise<Part> {
  const watch = new Watch(making.options, making.open.files);
  try {
    const guessed = await making.guess?.(watch);
    if (guessed !== undefined) return await joined(written(guessed, making.open, watch, keep));
  } catch (error) {
    // Whether a type is too deep to be written is for the learnt one to say.
    if (!(error instanceof DynarrowError && ["E_CHANGED", "E_NESTING"].includes(error.code))) throw error;
    keep(null);
  }
  return joined(written(await making.begin(watch), making.open, watch, keep));
}

async function* written(pass: Writing, open: OpenExport, watch: Watch, keep: Keep): AsyncGenerator<Part, void> {
  try {
    for await (const _ of drive(pass, open, watch)) {
      const part = pass.take();
      if (part !== undefined) yield part as Part;
    }
    const rest = call(() => pass.finish());
    if (rest.length > 0) yield rest as Part;
  } finally {
    keep(pass.report() as ReadReport);
    pass.free();
  }
}

async function joined(parts: AsyncIterable<Part>): Promise<Part> {
  const all: Part[] = [];
  for await (const part of parts) all.push(part);
  const bytes = new Uint8Array(all.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of all) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
