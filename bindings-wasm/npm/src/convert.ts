/** Converting to one file: Parquet, an Arrow IPC stream, or lines of text. */

import { type Pass, Watch, drive } from "./drive.js";
import { call } from "./error.js";
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

type Begin = () => Promise<{ made: Writing; watch: Watch }>;

/** The bytes of a file while it is made. Nothing is made ahead of who reads it. */
export class OutputStream extends ReadableStream<Uint8Array<ArrayBuffer>> {
  /** What was read, when the stream has ended, failed or was cancelled. */
  report: ReadReport | null = null;

  /** @internal */
  constructor(open: OpenExport, begin: Begin) {
    const parts = convertParts(open, begin, (report) => {
      this.report = report;
    });
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
  }
}

/** Columns, whose schema is learnt before where it was not yet. */
export function convert(open: OpenExport, format: "to_parquet" | "to_arrow", options: ReadOptions | undefined): OutputStream {
  return new OutputStream(open, () => withSchema<Writing>(open, options, 1, (handle, parsed) => handle[format](parsed)));
}

/** Lines, for which nothing is to be known before. */
export function convertToText(open: OpenExport, format: "dynamodb_json" | "ion" | "ndjson", options: TextOptions | NdjsonOptions | undefined): OutputStream {
  return new OutputStream(open, async () => {
    const watch = new Watch(options, open.files, 1);
    return { made: call(() => open.handle.to_text(format, options)), watch };
  });
}

async function* convertParts(open: OpenExport, begin: Begin, onReport: (report: ReadReport) => void): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  const { made: pass, watch } = await begin();
  try {
    for await (const _ of drive(pass, open, watch)) {
      const part = pass.take();
      if (part !== undefined) yield part as Uint8Array<ArrayBuffer>;
    }
    const rest = call(() => pass.finish());
    if (rest.length > 0) yield rest as Uint8Array<ArrayBuffer>;
  } finally {
    onReport(pass.report() as ReadReport);
    pass.free();
  }
}
