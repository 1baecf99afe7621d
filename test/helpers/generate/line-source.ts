/** An endless source of log lines in the order of their time. */
export interface LineSource {
  /** Event time of the line that `next` gives, in microseconds since the epoch. */
  readonly nextUs: number;
  /** The next line, with its newline. ASCII. */
  next(): string;
}

/** The lines of several sources as one writer would write them: ordered by time. */
export class MergedLines implements LineSource {
  readonly #sources: readonly LineSource[];
  #first: LineSource;

  constructor(sources: readonly [LineSource, ...LineSource[]]) {
    this.#sources = sources;
    this.#first = sources[0];
    this.#findFirst();
  }

  get nextUs(): number {
    return this.#first.nextUs;
  }

  next(): string {
    const line = this.#first.next();
    this.#findFirst();
    return line;
  }

  #findFirst(): void {
    for (const source of this.#sources) {
      if (source.nextUs < this.#first.nextUs) this.#first = source;
    }
  }
}
