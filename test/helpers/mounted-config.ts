import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A folder that holds a configuration as the kubelet mounts a ConfigMap: links, and a swap of `..data`. */
export class MountedConfig {
  readonly file: string;
  readonly #dir: string;
  #version = 0;

  constructor(dir: string, text: string) {
    this.#dir = dir;
    this.file = join(dir, 'config.yaml');
    mkdirSync(dir, { recursive: true });
    this.#write(text);
    symlinkSync(`..v${this.#version}`, join(dir, '..data'));
    symlinkSync(join('..data', 'config.yaml'), this.file);
  }

  /** What the kubelet does on a change: a new folder, a link to it, a rename over `..data`, the old folder goes. */
  swap(text: string): void {
    const old = `..v${this.#version}`;
    this.#write(text);
    symlinkSync(`..v${this.#version}`, join(this.#dir, '..data_tmp'));
    renameSync(join(this.#dir, '..data_tmp'), join(this.#dir, '..data'));
    rmSync(join(this.#dir, old), { recursive: true });
  }

  #write(text: string): void {
    const folder = join(this.#dir, `..v${++this.#version}`);
    mkdirSync(folder);
    writeFileSync(join(folder, 'config.yaml'), text);
  }
}
