import { execFile } from 'node:child_process';
import { open, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const exec = promisify(execFile);
/** Sizes of the pieces that a disk is filled with, in bytes: the last room is filled by small ones. */
const PIECES = [4 * 1024 * 1024, 4 * 1024];

/** A small disk of its own, which can be filled. */
export class Volume {
  readonly directory: string;
  readonly #ballast: string;

  private constructor(directory: string) {
    this.directory = directory;
    this.#ballast = path.join(directory, 'ballast');
  }

  /** Mounts a tmpfs of so many MiB at `directory`. Rejects where this user may not. */
  static async mount(directory: string, mebibytes: number): Promise<Volume> {
    await exec('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=755`, 'messenger-torture', directory]);
    return new Volume(directory);
  }

  /** Fills what is free with a ballast file, which grows by whatever was freed since. */
  async fill(): Promise<void> {
    const file = await open(this.#ballast, 'a');
    try {
      for (const size of PIECES) {
        const piece = Buffer.alloc(size);
        while (await hasRoom(file.write(piece)));
      }
    } finally {
      await file.close();
    }
  }

  /** Gives the room back. */
  async free(): Promise<void> {
    await rm(this.#ballast, { force: true });
  }

  async unmount(): Promise<void> {
    await exec('umount', [this.directory]);
  }
}

async function hasRoom(writing: Promise<unknown>): Promise<boolean> {
  try {
    await writing;
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') return false;
    throw error;
  }
}
