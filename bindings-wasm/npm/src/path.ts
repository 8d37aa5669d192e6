/** Opening an export by its path: Node's file system as a source. */

import type { Dirent } from "node:fs";
import { open, readdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, sep } from "node:path";
import { DynarrowError, unreadable } from "./error.js";
import { type Export, type OpenOptions, type Place, openFiles } from "./open.js";
import type { Sliceable } from "./source.js";
import type { ImportObjects } from "./validate.js";

const MANIFESTS = ["manifest-summary.json", "manifest-files.json"];
/** That of a legacy dump. */
const DUMP_MANIFEST = "manifest";
const AWS_FOLDER = "AWSDynamoDB";

/**
 * Opens a folder with `manifest-summary.json`, a manifest, a folder with one export below
 * it, a folder of data files, or a data file.
 */
export async function openPath(path: string, options?: OpenOptions): Promise<Export> {
  if (await isFolder(path)) return openFolder(path, options);
  const name = basename(path);
  if (MANIFESTS.includes(name) || name === DUMP_MANIFEST) return openFolder(dirname(path), options);
  return openFiles(new Map([[name, await fileAt(path)]]), { file: name, name: path }, options);
}

async function openFolder(path: string, options: OpenOptions | undefined): Promise<Export> {
  // An export that is named by its own folder may have its data beside it.
  const inside = await readdir(path, { withFileTypes: true }).catch(failing(path));
  if (inside.some((entry) => MANIFESTS.includes(entry.name))) {
    const own = await realpath(path).catch(failing(path));
    const parent = dirname(own);
    if (basename(parent) === AWS_FOLDER) {
      const folder = `${AWS_FOLDER}/${basename(own)}/`;
      return openBelow(dirname(parent), [folder, `${AWS_FOLDER}/data/`], { folder, name: path }, options);
    }
    if (!inside.some((entry) => entry.name === "data")) {
      return openBelow(parent, [`${basename(own)}/`, "data/"], { folder: `${basename(own)}/`, name: path }, options);
    }
  }
  return openBelow(path, [""], { folder: "", name: path }, options);
}

/** Opens what is in some folders below a root; everything below it where the manifest names a file outside of them. */
async function openBelow(root: string, folders: readonly string[], place: Place, options: OpenOptions | undefined): Promise<Export> {
  const found = new Listing(root);
  for (const folder of folders) await found.add(folder);
  const opened = await openFiles(found.files, { ...place, root: root.endsWith(sep) ? root : root + sep }, options);
  if (!folders.includes("") && opened.files.some((file) => file.key === null)) {
    opened.free();
    return openBelow(root, [""], place, options);
  }
  // A manifest must not lead out of its export, also not through a link.
  const isNamed = opened.summary !== null || [...found.files.keys()].some((key) => basename(key) === DUMP_MANIFEST);
  const link = isNamed ? opened.files.find(({ key }) => key !== null && found.outside.has(key)) : undefined;
  if (link !== undefined) {
    opened.free();
    const file = join(root, link.key ?? "");
    throw new DynarrowError({ code: "E_KEY", message: `E_KEY: a link out of ${root} (file ${file})`, file });
  }
  return opened;
}

/** The objects of an import: all files below a folder, hidden ones too, or a single file. */
export async function objectsAt(path: string): Promise<ImportObjects> {
  if (!(await isFolder(path))) {
    const key = basename(path);
    return { files: new Map([[key, await fileAt(path)]]), only: true, root: path.slice(0, path.length - key.length) };
  }
  const found = new Listing(path, true);
  await found.add("");
  return { files: found.files, only: false, root: path.endsWith(sep) ? path : path + sep };
}

/** The files below a folder, without hidden ones unless they are asked for. */
class Listing {
  readonly files = new Map<string, Sliceable>();
  /** Links that lead out of the folder. */
  readonly outside = new Set<string>();
  readonly #root: string;
  readonly #hidden: boolean;

  constructor(root: string, hidden = false) {
    this.#root = root;
    this.#hidden = hidden;
  }

  /** Adds what is in a folder, `""` or ending in `/`, if there is one. */
  async add(folder: string): Promise<void> {
    const path = join(this.#root, folder);
    let entries: Dirent[];
    try {
      entries = await readdir(path, { withFileTypes: true });
    } catch (error) {
      if (folder !== "" && (error as NodeJS.ErrnoException).code === "ENOENT") return;
      throw unreadable(path, error);
    }
    for (const entry of entries) {
      if (entry.name.startsWith(".") && !this.#hidden) continue;
      const key = folder + entry.name;
      if (entry.isDirectory()) await this.add(`${key}/`);
      else await this.#addFile(key, join(path, entry.name), entry.isSymbolicLink());
    }
  }

  async #addFile(key: string, path: string, isLink: boolean): Promise<void> {
    if (isLink) {
      // Links to folders may lead in circles.
      if (await isFolder(path)) return;
      const [root, target] = await Promise.all([realpath(this.#root), realpath(path)]).catch(failing(path));
      if (!target.startsWith(root.endsWith(sep) ? root : root + sep)) this.outside.add(key);
    }
    this.files.set(key, await fileAt(path));
  }
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(failing(path))).isDirectory();
}

/** A file that is opened for each part, so that none is left open. */
async function fileAt(path: string): Promise<Sliceable> {
  const { size } = await stat(path).catch(failing(path));
  return {
    byteLength: size,
    async slice(start, end) {
      const file = await open(path);
      try {
        const { buffer, bytesRead } = await file.read(new Uint8Array(end - start), 0, end - start, start);
        return buffer.buffer.slice(0, bytesRead);
      } finally {
        await file.close();
      }
    },
  };
}

function failing(path: string): (error: unknown) => never {
  return (error) => {
    throw unreadable(path, error);
  };
}
