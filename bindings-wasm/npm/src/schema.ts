/** Learning a schema over all items of an export. */

import { Watch, runToEnd } from "./drive.js";
import { call } from "./error.js";
import type { OpenExport } from "./open.js";
import type { ReadOptions } from "./options.js";
import { type Export as Handle, Options } from "./wasm/dynarrow_wasm.js";

/** A DynamoDB type descriptor. */
export type Descriptor = "S" | "N" | "B" | "BOOL" | "NULL" | "M" | "L" | "SS" | "NS" | "BS";

/** What stands at a path, and the Arrow type that was chosen for it. */
export interface SchemaType {
  /** The Arrow type, in words. */
  readonly arrow: string;
  /** The DynamoDB type, as the field's metadata `dynamodb.type` has it. */
  readonly dynamodb: Descriptor | "mixed" | "json";
  /** Why this Arrow type. */
  readonly why?: string;
  /** How many values of each type were seen. */
  readonly seen?: Readonly<Partial<Record<Descriptor, number>>>;
  /** The share of items, or of maps, that have the attribute. */
  readonly share?: number;
  /** Digits left and right of the point, of numbers. */
  readonly digits?: Digits;
  /** The same, of numbers in sets. */
  readonly set_digits?: Digits;
  /** Bytes of the shortest and the longest string. */
  readonly string_bytes?: readonly [min: number, max: number];
  readonly binary_bytes?: readonly [min: number, max: number];
  /** Members of the smallest and the largest list or set. */
  readonly members?: readonly [min: number, max: number];
  readonly example?: string;
  /** Where it was first seen: file, item in the file, place in the item. */
  readonly first?: readonly [file: number, item: number, position: number];
  /** The members of a struct. */
  readonly fields?: readonly SchemaField[];
  /** The elements of a list. */
  readonly element?: SchemaType;
}

export interface Digits {
  readonly integer: number;
  readonly scale: number;
}

/** A column, or a member of one. */
export interface SchemaField extends SchemaType {
  /** The attribute's exact name. */
  readonly name: string;
}

/** The document of a schema. */
export interface SchemaDocument {
  readonly dynarrow_schema: number;
  /** Items that it was learnt from. */
  readonly items: number;
  readonly numbers: NonNullable<ReadOptions["numbers"]>;
  readonly mixed: NonNullable<ReadOptions["mixed"]>;
  readonly fields: readonly SchemaField[];
}

/** Names, order and types of the columns, and what was learnt to choose them. */
export class Schema {
  readonly #document: SchemaDocument;

  /** @internal */
  constructor(document: SchemaDocument) {
    this.#document = document;
  }

  /** The columns. */
  get fields(): readonly SchemaField[] {
    return this.#document.fields;
  }

  /** The document: JSON that a person can read. */
  toJSON(): SchemaDocument {
    return this.#document;
  }
}

export async function inferSchema(open: OpenExport, given: ReadOptions | undefined): Promise<Schema> {
  const { made } = await withSchema(open, given, 0, (handle, options) => handle.schema(options) as SchemaDocument);
  return new Schema(made);
}

/**
 * Makes something that needs the schema, which is learnt before where it was not yet; so
 * many passes over the files will follow.
 */
export async function withSchema<T>(
  open: OpenExport,
  given: ReadOptions | undefined,
  passes: number,
  make: (handle: Handle, options: Options) => T,
): Promise<{ made: T; watch: Watch }> {
  const options = call(() => new Options(given));
  try {
    const isLearnt = open.handle.is_learnt(options);
    const watch = new Watch(given, open.files, passes + (isLearnt ? 0 : 1));
    if (!isLearnt) await learn(open, options, watch);
    return { made: call(() => make(open.handle, options)), watch };
  } finally {
    options.free();
  }
}

async function learn(open: OpenExport, options: Options, watch: Watch): Promise<void> {
  const pass = call(() => open.handle.learn(options));
  await runToEnd(pass, open, watch, () => pass.finish());
}
