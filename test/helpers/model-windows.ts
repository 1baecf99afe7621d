/**
 * What windows, key cap and limit promise, said a second time and as plainly as possible: arrays, exact
 * integers, no speed. Written from the design, not from the stages, so that the two can disagree.
 *
 * - A window opens with its key's first connection and reaches one length to both sides of it, both ends
 *   outside: an event a whole length later, or earlier, is not its.
 * - An event closes windows of its input that it is out of reach of, in the order in which they were opened, up to
 *   the first that it is in reach of; and the window of its own key if it is out of that one's reach.
 * - A new key beyond the cap is dropped and costs no token; a new record without a token is dropped.
 */
export interface ModelEvent {
  readonly id: string;
  readonly input: string;
  readonly timeUs: number;
  /** Everything that must be equal to merge, disposition included. */
  readonly key: string;
  readonly merges: boolean;
  readonly srcPort: number;
  readonly count: number;
  readonly packets: number;
  readonly bytes: number;
}

export interface ModelRecord {
  id: string;
  input: string;
  firstUs: number;
  lastUs: number;
  srcPort: number;
  srcPorts: number[];
  lines: number;
  count: number;
  packets: number;
  bytes: number;
}

export interface ModelOptions {
  readonly windowUs: number;
  readonly keysMax: number;
  readonly srcPortsMax: number;
  /** Tokens a second; 0 for no limit. */
  readonly rate: number;
  readonly burst: number;
}

export type ModelClass = 'recorded' | 'opened' | 'merged' | 'aggregation_limit' | 'rate_limit';

/** A step back of the clock, as the limit sees it. */
const STEP_US = 5_000_000;

export class ModelNode {
  readonly records: ModelRecord[] = [];
  /** Of each input its open windows, in order of opening. */
  readonly #inputs = new Map<string, Map<string, ModelRecord>>();
  #microTokens: bigint;
  #limitUs: number | undefined;
  readonly #options: ModelOptions;

  constructor(options: ModelOptions) {
    this.#options = options;
    this.#microTokens = BigInt(options.burst) * 1_000_000n;
  }

  get open(): number {
    let open = 0;
    for (const windows of this.#inputs.values()) open += windows.size;
    return open;
  }

  event(event: ModelEvent): ModelClass {
    const windows = this.#inputs.get(event.input) ?? new Map<string, ModelRecord>();
    this.#inputs.set(event.input, windows);
    for (const [key, record] of windows) {
      if (this.#reaches(record, event.timeUs)) break;
      windows.delete(key);
      this.records.push(record);
    }
    const own = windows.get(event.key);
    if (event.merges && own !== undefined) {
      if (this.#reaches(own, event.timeUs)) {
        this.#merge(own, event);
        return 'merged';
      }
      windows.delete(event.key);
      this.records.push(own);
    }
    if (event.merges && this.open >= this.#options.keysMax) return 'aggregation_limit';
    if (!this.#token(event.timeUs)) return 'rate_limit';
    const record: ModelRecord = {
      id: event.id,
      input: event.input,
      firstUs: event.timeUs,
      lastUs: event.timeUs,
      srcPort: event.srcPort,
      srcPorts: [],
      lines: 0,
      count: 0,
      packets: 0,
      bytes: 0,
    };
    this.#merge(record, event);
    if (event.merges) windows.set(event.key, record);
    else this.records.push(record);
    return event.merges ? 'opened' : 'recorded';
  }

  /** The end of the input: what is open is closed, in the order of opening. */
  end(input: string): void {
    this.records.push(...(this.#inputs.get(input)?.values() ?? []));
    this.#inputs.delete(input);
  }

  #reaches(record: ModelRecord, timeUs: number): boolean {
    return Math.abs(timeUs - record.firstUs) < this.#options.windowUs;
  }

  #merge(record: ModelRecord, event: ModelEvent): void {
    record.lines += 1;
    record.count += event.count;
    record.packets += event.packets;
    record.bytes += event.bytes;
    record.lastUs = Math.max(record.lastUs, event.timeUs);
    const { srcPorts } = record;
    if (
      event.srcPort >= 0 &&
      !srcPorts.includes(event.srcPort) &&
      srcPorts.length < this.#options.srcPortsMax
    )
      srcPorts.push(event.srcPort);
  }

  /** `rate` tokens come with every second that the clock goes on; none for equal times or for going back. */
  #token(timeUs: number): boolean {
    const { rate, burst } = this.#options;
    if (rate === 0) return true;
    const limitUs = this.#limitUs ?? timeUs;
    const forward = timeUs > limitUs ? BigInt(timeUs - limitUs) * BigInt(rate) : 0n;
    const full = BigInt(burst) * 1_000_000n;
    this.#microTokens = this.#microTokens + forward > full ? full : this.#microTokens + forward;
    if (timeUs > limitUs || timeUs <= limitUs - STEP_US) this.#limitUs = timeUs;
    else this.#limitUs = limitUs;
    if (this.#microTokens < 1_000_000n) return false;
    this.#microTokens -= 1_000_000n;
    return true;
  }
}
