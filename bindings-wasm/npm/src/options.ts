/** The options of everything that reads items. */

import type { WorkOptions } from "./drive.js";
import type { Schema, SchemaDocument } from "./schema.js";

/**
 * What the column of a number is. `"auto"` is exact: int64 where all values fit, else
 * decimal128 where they do, else text. `"float64"` and `"decimal(p,s)"` (precision and scale)
 * round; what overflows a decimal is null. The report counts both. `"string"` is text with all
 * digits.
 */
export type Numbers = "auto" | "float64" | `decimal(${number},${number})` | "string";

/**
 * What the column of a path with several types is: a struct with a child per type, DynamoDB
 * JSON text, plain text, or an error.
 */
export type Mixed = "struct" | "json" | "string" | "error";

/**
 * What the column of a map is: a struct (`"auto"`: a map column past `maxFields` different
 * members), a map column, or DynamoDB JSON text.
 */
export type Maps = "auto" | "struct" | "map" | "json";

/** How values stand in columns: as what they are, or each in a struct of the types seen, so that nothing is lost. */
export type Layout = "plain" | "typed";

/**
 * Under which names columns stand in Arrow: those of the attributes, or such that Athena can
 * resolve, at every depth: lower case, `[a-z0-9_]`, at most 255 bytes, `_2`, `_3` where that is
 * taken. The attributes' own are then in the fields' metadata `dynamodb.name`.
 */
export type Names = "exact" | "athena";

/** What becomes of values that a frozen schema has no place for: into the column `_extra`, dropped and counted, or an error. */
export type Extra = "column" | "drop" | "error";

/**
 * What one path is made. A timestamp is a number of seconds, milliseconds or microseconds, or
 * a text: `timestamp(iso)` for `YYYY-MM-DDThh:mm:ss.SSSZ`, `timestamp(iso:PATTERN)` for others.
 */
export type Override = Numbers | "int64" | "json" | "struct" | "map" | `timestamp(${"s" | "ms" | "us" | "iso" | `iso:${string}`})`;

/** What single paths are made: `{ price: "decimal(18,2)", "lines[].qty": "int64", '["odd name"].x': "json" }`. */
export type Overrides = { readonly [path: string]: Override };

/** What all reading of items takes. */
interface ItemOptions extends WorkOptions {
  /** What a bad record does: ends the work (the default), or is passed over and counted. */
  readonly onError?: "raise" | "skip" | undefined;
  /**
   * What is checked against the manifest while reading: the items of each file (`"count"`,
   * the default), also its MD5 (`"md5"`), or nothing (`"none"`).
   */
  readonly check?: "count" | "md5" | "none" | undefined;
}

/** How an export is read. */
export interface ReadOptions extends ItemOptions {
  /** The attributes that are read, in this order; all by default. */
  readonly columns?: readonly string[] | undefined;
  /** What the column of a number is; `"auto"` by default. */
  readonly numbers?: Numbers | undefined;
  /** What the column of a path with several types is; `"struct"` by default. */
  readonly mixed?: Mixed | undefined;
  /** What the column of a map is; `"auto"` by default. */
  readonly maps?: Maps | undefined;
  /** How values stand in columns; `"plain"` by default. */
  readonly layout?: Layout | undefined;
  /** Under which names columns stand in Arrow; `"exact"` by default. */
  readonly names?: Names | undefined;
  /** What single paths are made, whatever the other policies say. */
  readonly overrides?: Overrides | undefined;
  /** Members of a struct, at most, with `maps: "auto"`; 256 by default. */
  readonly maxFields?: number | undefined;
  /** Columns, at most; 2,000 by default. Attributes past it go to `_extra`. */
  readonly maxColumns?: number | undefined;
  /**
   * The schema, or its document, where it is not to be learnt: the export is read once. It
   * fixes the policies, none of which can be given with it, nor `sample`.
   */
  readonly schema?: Schema | SchemaDocument | undefined;
  /** What becomes of values that a frozen schema has no place for; `"column"` by default. */
  readonly extra?: Extra | undefined;
  /** Learn from the first items only, so many; the schema is then a frozen one. */
  readonly sample?: number | undefined;
  /** Attribute paths that may be learnt, at most; 100,000 by default. More are an error. */
  readonly maxPaths?: number | undefined;
  /** Rows of a record batch, at most; 8,192 by default. */
  readonly batchSize?: number | undefined;
}

/** How an export is converted to lines of text. What is for columns only is refused: `E_USAGE`. */
export interface TextOptions extends ItemOptions {
  /** The attributes that are written, each where its item has it; all by default. */
  readonly columns?: readonly string[] | undefined;
}

/** How an export is converted to plain JSON lines. */
export interface NdjsonOptions extends TextOptions {
  /** What a number is: with all its digits (`"auto"`, the default), the nearest float64, which the report counts, or text. */
  readonly numbers?: "auto" | "float64" | "string" | undefined;
}
