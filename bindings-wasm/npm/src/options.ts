/** The options of everything that reads items. */

import type { WorkOptions } from "./drive.js";

/** How an export is read. */
export interface ReadOptions extends WorkOptions {
  /** The attributes that are read, in this order; all by default. */
  readonly columns?: readonly string[] | undefined;
  /**
   * What the column of a number is. `"auto"` (the default) is exact: int64 where all values
   * fit, else decimal128 where they do, else text. `"float64"` rounds, and the report counts
   * it. `"string"` is text with all digits.
   */
  readonly numbers?: "auto" | "float64" | "string" | undefined;
  /**
   * What the column of a path with several types is: a struct with a child per type
   * (`"struct"`, the default), DynamoDB JSON text, plain text, or an error.
   */
  readonly mixed?: "struct" | "json" | "string" | "error" | undefined;
  /** Rows of a record batch, at most; 8,192 by default. */
  readonly batchSize?: number | undefined;
  /** What a bad record does: ends the work (the default), or is passed over and counted. */
  readonly onError?: "raise" | "skip" | undefined;
  /**
   * What is checked against the manifest while reading: the items of each file (`"count"`,
   * the default), also its MD5 (`"md5"`), or nothing (`"none"`).
   */
  readonly check?: "count" | "md5" | "none" | undefined;
}
