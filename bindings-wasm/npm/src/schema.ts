/** Learning a schema over all items of an export, and what is made of its document. */

import { Watch, runToEnd } from "./drive.js";
import { call } from "./error.js";
import type { OpenExport } from "./open.js";
import type { Layout, Maps, Mixed, Names, Numbers, Overrides, ReadOptions } from "./options.js";
import { type Export as Handle, Options, merge_schemas, override_schema, schema_document } from "./wasm/dynarrow_wasm.js";

/** A DynamoDB type descriptor. */
export type Descriptor = "S" | "N" | "B" | "BOOL" | "NULL" | "M" | "L" | "SS" | "NS" | "BS";

/** What stands at a path, and the Arrow type that was chosen for it. */
export interface SchemaType {
  /** The Arrow type's short name: `"int64"`, `"decimal128(38, 2)"`. A path without one has no place in a column. */
  readonly arrow?: string;
  /** The DynamoDB type, as the field's metadata `dynamodb.type` has it. */
  readonly dynamodb?: Descriptor | "mixed" | "typed" | "json";
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
  /** The Arrow types of the children of a mixed or typed struct. */
  readonly types?: Readonly<Partial<Record<Descriptor, string>>>;
  /** The members of a struct. */
  readonly fields?: readonly SchemaField[];
  /** The elements of a list. */
  readonly element?: SchemaType;
  /** The values of a map column. */
  readonly value?: SchemaType;
}

export interface Digits {
  readonly integer: number;
  readonly scale: number;
  /** Numbers that fit no int64. */
  readonly beyond_int64: number;
}

/** An attribute of items or of maps. */
export interface SchemaField extends SchemaType {
  /** The attribute's exact name. */
  readonly name: string;
  /** Its name in Arrow, where `names` is not `"exact"`. */
  readonly column?: string;
}

/** A column. */
export interface SchemaColumn extends SchemaField {
  readonly arrow: string;
  readonly dynamodb: NonNullable<SchemaField["dynamodb"]>;
}

/** The document of a schema. */
export interface SchemaDocument {
  readonly dynarrow_schema: number;
  /** Items that it was learnt from. */
  readonly items: number;
  readonly numbers: Numbers;
  readonly mixed: Mixed;
  readonly maps: Maps;
  readonly layout: Layout;
  readonly names: Names;
  readonly max_fields: number;
  readonly max_columns: number;
  readonly overrides: Overrides;
  readonly fields: readonly SchemaColumn[];
  /** Attributes that are known and have no column. */
  readonly without_column?: readonly SchemaField[];
}

/** Names, order and types of the columns, and what was learnt to choose them. */
export class Schema {
  readonly #document: SchemaDocument;

  private constructor(document: SchemaDocument) {
    this.#document = document;
  }

  /** @internal */
  static of(document: unknown): Schema {
    return new Schema(document as SchemaDocument);
  }

  /**
   * The schema of a document, which a person may have edited.
   *
   * @throws {DynarrowError} `E_SCHEMA`, …
   */
  static fromJSON(document: SchemaDocument): Schema {
    return Schema.of(call(() => schema_document(document)));
  }

  /** The columns. */
  get fields(): readonly SchemaColumn[] {
    return this.#document.fields;
  }

  /** The document: JSON that a person can read and edit. */
  toJSON(): SchemaDocument {
    return this.#document;
  }

  /** What two schemas know together. Both must have the same policies. */
  merge(other: Schema | SchemaDocument): Schema {
    return Schema.of(call(() => merge_schemas(this, other)));
  }

  /** The same schema with other types at single paths: `{ price: "decimal(18,2)" }`. */
  override(overrides: Overrides): Schema {
    return Schema.of(call(() => override_schema(this, overrides)));
  }
}

export async function inferSchema(open: OpenExport, given: ReadOptions | undefined): Promise<Schema> {
  const watch = new Watch(given, open.files);
  return Schema.of(await withSchema(open, given, watch, 0, (handle, options) => handle.schema(options)));
}

/**
 * Makes something that needs the schema, which is learnt before where it was not yet; so
 * many passes over the files will follow.
 */
export async function withSchema<T>(
  open: OpenExport,
  given: ReadOptions | undefined,
  watch: Watch,
  passes: number,
  make: (handle: Handle, options: Options) => T,
): Promise<T> {
  const options = call(() => new Options(given));
  try {
    const isLearnt = open.handle.is_learnt(options);
    watch.expect(passes + (isLearnt ? 0 : 1));
    if (!isLearnt) await learn(open, options, watch);
    return call(() => make(open.handle, options));
  } finally {
    options.free();
  }
}

async function learn(open: OpenExport, options: Options, watch: Watch): Promise<void> {
  const pass = call(() => open.handle.learn(options));
  await runToEnd(pass, open, watch, () => pass.finish());
}
