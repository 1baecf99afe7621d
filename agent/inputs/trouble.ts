export type FileEvent = 'opened' | 'finished' | 'truncated' | 'nul_bytes' | 'failed';

/** Where what happens to an input's files is told: counters, and a log that says each thing once. */
export interface FileDeps {
  readonly node: string;
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
  readonly events?: (event: FileEvent, amount: number) => void;
}

/** Complains about a path once, until it is well again or something else is wrong with it. */
export class Trouble {
  readonly #input: string;
  readonly #deps: FileDeps;
  readonly #complaints = new Map<string, string>();

  constructor(input: string, deps: FileDeps) {
    this.#input = input;
    this.#deps = deps;
  }

  event(event: FileEvent, amount: number): void {
    this.#deps.events?.(event, amount);
  }

  failed(path: string, error: unknown): void {
    const { code, message } = error as NodeJS.ErrnoException;
    const advice = code === 'EACCES' || code === 'EPERM' ? '; the agent needs read permission' : '';
    this.event('failed', 1);
    this.complain(path, code ?? message, `cannot read it, will try again: ${message}${advice}`);
  }

  complain(path: string, reason: string, message: string): void {
    if (this.#complaints.get(path) === reason) return;
    this.#complaints.set(path, reason);
    this.#deps.log.warn({ input: this.#input, path, reason }, message);
  }

  settled(path: string): void {
    if (this.#complaints.delete(path)) this.#deps.log.info({ input: this.#input, path }, 'can be read again');
  }
}
