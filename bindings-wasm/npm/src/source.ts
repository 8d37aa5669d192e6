/** Where the bytes of an export come from. Nothing but its manifests is read as a whole. */

import { unreadable, usage } from "./error.js";

/** The bytes of a file: in memory, in a `Blob` or `File`, or anything that gives slices of itself. */
export type Bytes = Blob | ArrayBuffer | Uint8Array | Sliceable;

/** Bytes that are elsewhere; `slice` has the meaning of `ArrayBuffer.prototype.slice`. */
export interface Sliceable {
  readonly byteLength: number;
  slice(start: number, end: number): ArrayBuffer | Promise<ArrayBuffer>;
}

/**
 * An export: its files under their keys (a `Map` or pairs), or what a file input or a
 * dropped folder gives (a `FileList`, an array of `File`). A single file is data without manifests.
 */
export type ExportSource = Bytes | Iterable<readonly [key: string, bytes: Bytes]> | Iterable<File>;

/** The files of a source, by key. */
export function filesOf(source: Iterable<readonly [string, Bytes]> | Iterable<File>): Map<string, Bytes> {
  const files = new Map<string, Bytes>();
  for (const entry of source) {
    const [key, bytes] = Array.isArray(entry) ? (entry as [unknown, unknown]) : named(entry as File);
    if (typeof key !== "string" || !isBytes(bytes)) {
      throw usage("a source has files, or pairs of a key and a Blob, an ArrayBuffer or a Uint8Array");
    }
    if (files.has(key)) throw usage(`two files have the key ${JSON.stringify(key)}`);
    files.set(key, bytes);
  }
  return files;
}

/** A file as the folder that was chosen has it. */
function named(file: File): [unknown, unknown] {
  return [file.webkitRelativePath || file.name, file];
}

export function isBytes(value: unknown): value is Bytes {
  if (value instanceof Blob || value instanceof Uint8Array) return true;
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return false;
  return "byteLength" in value && "slice" in value && typeof value.slice === "function";
}

export function isIterable(value: unknown): value is Iterable<never> {
  return typeof value === "object" && value !== null && Symbol.iterator in value;
}

export function sizeOf(bytes: Bytes): number {
  return bytes instanceof Blob ? bytes.size : bytes.byteLength;
}

/** A part of a file; `name` is what messages call it. */
export async function readPart(bytes: Bytes, start: number, end: number, name: string): Promise<Uint8Array> {
  if (bytes instanceof Uint8Array) return bytes.subarray(start, end);
  try {
    return new Uint8Array(bytes instanceof Blob ? await bytes.slice(start, end).arrayBuffer() : await bytes.slice(start, end));
  } catch (error) {
    throw unreadable(name, error);
  }
}
