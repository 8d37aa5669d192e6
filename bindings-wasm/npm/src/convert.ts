/** Converting to one file: Parquet, or an Arrow IPC stream. */

import { drive } from "./drive.js";
import { call } from "./error.js";
import type { OpenExport } from "./open.js";
import type { ReadOptions } from "./options.js";
import type { ReadReport } from "./read.js";
import { withSchema } from "./schema.js";

/** The bytes of a file while it is made. Nothing is made ahead of who reads it. */
export class OutputStream extends ReadableStream<Uint8Array<ArrayBuffer>> {
  /** What was read, when the stream has ended, failed or was cancelled. */
  report: ReadReport | null = null;

  /** @internal */
  constructor(open: OpenExport, format: "to_parquet" | "to_arrow", options: ReadOptions | undefined) {
    const parts = convertParts(open, format, options, (report) => {
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

export function convert(open: OpenExport, format: "to_parquet" | "to_arrow", options: ReadOptions | undefined): OutputStream {
  return new OutputStream(open, format, options);
}

async function* convertParts(
  open: OpenExport,
  format: "to_parquet" | "to_arrow",
  given: ReadOptions | undefined,
  onReport: (report: ReadReport) => void,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  const { made: pass, watch } = await withSchema(open, given, 1, (handle, options) => handle[format](options));
  try {
    for await (const _ of drive(pass, open, watch)) {
      const part = pass.take();
      if (part !== undefined) yield part as Uint8Array<ArrayBuffer>;
    }
    yield call(() => pass.finish()) as Uint8Array<ArrayBuffer>;
  } finally {
    onReport(pass.report() as ReadReport);
    pass.free();
  }
}
