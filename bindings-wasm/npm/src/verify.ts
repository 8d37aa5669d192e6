/** Checking an export against its manifests. */

import { Watch, type WorkOptions, runToEnd } from "./drive.js";
import { type ErrorDetails, call } from "./error.js";
import type { OpenExport } from "./open.js";

/** One thing that was found. */
export interface Finding extends ErrorDetails {
  /** `"error"`: the export is not what its manifests say. `"note"`: worth knowing. */
  readonly severity: "error" | "note";
}

/** What a check came to. */
export interface VerifyReport {
  /** No finding is an error. */
  readonly ok: boolean;
  /** Everything that was found: the manifests first, then the files in order. */
  readonly findings: readonly Finding[];
  /** Data files. */
  readonly files: number;
  /** Records in them. */
  readonly items: number;
  /** Their compressed bytes. */
  readonly bytes: number;
}

export async function verify(open: OpenExport, options: WorkOptions | undefined): Promise<VerifyReport> {
  const watch = new Watch(options, open.files);
  watch.expect(1);
  const pass = call(() => open.handle.verify());
  return runToEnd(pass, open, watch, () => pass.finish() as VerifyReport);
}
