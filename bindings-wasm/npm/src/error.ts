/** The one error of this package. */

/** What went wrong, and where. What is not known is null. */
export interface ErrorDetails {
  /** Stable across versions and languages: `E_…`. */
  readonly code: string;
  readonly message: string;
  /** The file, as the manifest or the caller names it. */
  readonly file: string | null;
  /** The line in the decompressed file, from 1. */
  readonly line: number | null;
  /** The byte in the decompressed file, from 0. */
  readonly byte: number | null;
  /** The item in its file, from 0, bad records counted. */
  readonly item: number | null;
  /** The attribute: `a.b[].c`. */
  readonly path: string | null;
}

/** A failure with its code and position; the message has them in words. */
export class DynarrowError extends Error implements ErrorDetails {
  override readonly name: string = "DynarrowError";
  readonly code: string;
  readonly file: string | null;
  readonly line: number | null;
  readonly byte: number | null;
  readonly item: number | null;
  readonly path: string | null;

  constructor(details: Partial<ErrorDetails> & Pick<ErrorDetails, "code" | "message">, options?: ErrorOptions) {
    super(details.message, options);
    this.code = details.code;
    this.file = details.file ?? null;
    this.line = details.line ?? null;
    this.byte = details.byte ?? null;
    this.item = details.item ?? null;
    this.path = details.path ?? null;
  }
}

/** A wrong argument. */
export function usage(message: string): DynarrowError {
  return new DynarrowError({ code: "E_USAGE", message: `E_USAGE: ${message}` });
}

/** A failure of whatever holds the bytes of a file. */
export function unreadable(file: string, cause: unknown): DynarrowError {
  const error: Error & { code?: unknown } = cause instanceof Error ? cause : new Error(String(cause));
  const kind = error.code === "ENOENT" || error.name === "NotFoundError" ? "E_NOT_FOUND" : "E_IO";
  return new DynarrowError({ code: kind, message: `${kind}: ${error.message} (file ${file})`, file }, { cause });
}

/** Calls into the wasm; the plain objects that it throws become errors. */
export function call<T>(work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    throw isDetails(thrown) ? new DynarrowError(thrown) : thrown;
  }
}

function isDetails(thrown: unknown): thrown is ErrorDetails {
  return typeof thrown === "object" && thrown !== null && !(thrown instanceof Error) && "code" in thrown && "message" in thrown;
}
