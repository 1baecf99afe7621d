/** One stretch of the outbox that is under way; done when none of its parts is left. */
export interface LedgerEntry {
  readonly to: number;
  readonly bytes: number;
  parts: number;
}

/**
 * Keeps the order in which stretches were read, so that a position is confirmed only when everything before it is
 * done, in whatever order the requests come back.
 */
export class Ledger {
  readonly #entries: LedgerEntry[] = [];
  readonly #confirm: (position: number, bytes: number) => void;

  constructor(confirm: (position: number, bytes: number) => void) {
    this.#confirm = confirm;
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  /** @param parts requests that it takes; 0 when it is done already */
  open(to: number, bytes: number, parts: number): LedgerEntry {
    const entry = { to, bytes, parts };
    this.#entries.push(entry);
    this.#advance();
    return entry;
  }

  /** One part of the entry is done. */
  settle(entry: LedgerEntry): void {
    entry.parts--;
    this.#advance();
  }

  #advance(): void {
    let done = 0;
    let bytes = 0;
    while (this.#entries[done]?.parts === 0) bytes += this.#entries[done++]!.bytes;
    if (done === 0) return;
    const { to } = this.#entries[done - 1]!;
    this.#entries.splice(0, done);
    this.#confirm(to, bytes);
  }
}
