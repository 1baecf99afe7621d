import { Buffer } from 'node:buffer';
import { Envelope } from './envelope.ts';
import { readJournalEntry } from './journal.ts';
import { KernelClock, type SavedKernelClock } from './kernel-clock.ts';
import type { Format, LineParser, ParsedLine, RefusedLine, UnparsableReason } from './line.ts';
import { NetfilterFlow } from './netfilter-flow.ts';
import { PacketMemory } from './packet-memory.ts';
import { PacketPair } from './packet-pair.ts';
import { type PrefixOptions, PrefixRules } from './prefix.ts';

export interface SyslogOptions extends PrefixOptions {
  /** The input's name in records. */
  readonly input: string;
  /** The node's name in records. */
  readonly node: string;
  /** IANA zone of timestamps that name none; UTC if absent. */
  readonly timezone?: string | undefined;
  /** Beginnings of the names of interfaces that lead to a pod. */
  readonly workloadInterfaces: readonly string[];
  /** Which second lines of one packet are merged into the first: those without prefix, or all. */
  readonly mergePair: 'none' | 'empty_prefix' | 'all';
  /** When the running kernel started: for lines that have its uptime stamp and no other time, and to tell boots. */
  readonly bootTimeUs?: number | undefined;
}

interface SavedSyslog {
  readonly clocks: readonly (readonly [host: string, clock: SavedKernelClock])[];
}

interface SavedSyslogFile {
  /** The last line, if it was a connection, from its prefix on. */
  readonly last?: string;
}

/** A file with lines of more hosts than this is no node's log; their stamps are then not remembered. */
const HOSTS_MAX = 16;
/** How much of a line without packet is looked at for one of our prefixes. */
const TEXT_BYTES_MAX = 127;
/** How exact a time with so many digits after the point is. */
const RESOLUTION_US = [1_000_000, 100_000, 10_000, 1_000, 100, 10, 1];
const NOTHING = Buffer.alloc(0);
const FOREIGN: ParsedLine = { kind: 'foreign' };
const MERGED: ParsedLine = { kind: 'merged' };
const REPLAYED: ParsedLine = { kind: 'dropped', reason: 'replayed' };

/**
 * The kernel's packet lines in a syslog file, in `dmesg` and `journalctl -k` output, or from `/dev/kmsg`.
 * With the name `journal`, lines of `journalctl -o json` are read too.
 *
 * @param name the format's name in records
 * @throws SyntaxError or RangeError for a pattern or a zone that cannot be read
 */
export function syslogFormat(options: SyslogOptions, name = 'syslog'): Format {
  const shared = new SharedState(options);
  return {
    name,
    // Every packet line has it; searching for one text is quicker than searching for each prefix.
    needles: ['OUT='],
    sequels: ['last message repeated '],
    open: (saved) => new SyslogLines(options, shared, name, saved as SavedSyslogFile | undefined),
    save: () => shared.save(),
    restore: (saved) => shared.restore(saved as SavedSyslog),
  };
}

/** What the files of one input share: the meaning of prefixes, and the clock of each host's kernel. */
class SharedState {
  readonly prefixes: PrefixRules;
  readonly packets = new PacketMemory();
  readonly #clocks = new Map<string, KernelClock>();
  #lastHost: Buffer = Buffer.alloc(0);
  #lastClock: KernelClock | undefined;
  readonly #bootTimeUs: number | undefined;

  constructor(options: SyslogOptions) {
    this.prefixes = new PrefixRules(options);
    this.#bootTimeUs = options.bootTimeUs;
  }

  clock(bytes: Buffer, hostStart: number, hostEnd: number): KernelClock {
    const last = this.#lastHost;
    if (this.#lastClock !== undefined && last.length === hostEnd - hostStart) {
      let same = 0;
      while (same < last.length && last[same] === bytes[hostStart + same]) same++;
      if (same === last.length) return this.#lastClock;
    }
    this.#lastHost = Buffer.from(bytes.subarray(hostStart, hostEnd));
    const host = this.#lastHost.toString('latin1');
    let clock = this.#clocks.get(host);
    if (clock === undefined) {
      if (this.#clocks.size === HOSTS_MAX) this.#clocks.delete(this.#clocks.keys().next().value!);
      clock = new KernelClock(undefined, this.#bootTimeUs);
      this.#clocks.set(host, clock);
    }
    this.#lastClock = clock;
    return clock;
  }

  save(): SavedSyslog {
    return { clocks: [...this.#clocks].map(([host, clock]) => [host, clock.save()]) };
  }

  restore(saved: SavedSyslog): void {
    this.#clocks.clear();
    this.#lastClock = undefined;
    for (const [host, clock] of saved.clocks)
      this.#clocks.set(host, new KernelClock(clock, this.#bootTimeUs));
  }
}

/**
 * Reads the lines of one syslog file. Remembers the last connection, for `last message repeated N times`; and
 * the last few packets, for the second line of a pair.
 */
class SyslogLines implements LineParser {
  readonly #options: SyslogOptions;
  readonly #shared: SharedState;
  readonly #envelope: Envelope;
  readonly #flow: NetfilterFlow;
  readonly #isJournal: boolean;
  readonly #pair = new PacketPair();
  readonly #refused: { kind: 'unparsable'; reason: UnparsableReason } = {
    kind: 'unparsable',
    reason: 'bad_field',
  };
  /** The last connection's line, from its prefix on, nothing if the last line was none: in whose bytes it stands. */
  #last: Buffer = NOTHING;
  #lastStart = 0;
  #lastEnd = 0;
  /** Where it is kept once those are written over. */
  #kept: Buffer = Buffer.alloc(1024);

  constructor(
    options: SyslogOptions,
    shared: SharedState,
    format: string,
    saved: SavedSyslogFile | undefined,
  ) {
    this.#options = options;
    this.#shared = shared;
    this.#isJournal = format === 'journal';
    this.#envelope = new Envelope(options.timezone ?? 'UTC');
    const { input, node, workloadInterfaces } = options;
    this.#flow = new NetfilterFlow({ input, format, node, workloadInterfaces }, shared.packets);
    if (saved?.last !== undefined) {
      this.#last = Buffer.from(saved.last, 'latin1');
      this.#lastEnd = this.#last.length;
    }
  }

  parse(bytes: Buffer, start: number, end: number, nowUs: number): ParsedLine {
    const envelope = this.#envelope;
    if (this.#isJournal && bytes[start] === 0x7b) return this.#journal(bytes.toString('utf8', start, end));
    envelope.read(bytes, start, end, nowUs);
    return envelope.repeatLast > 0 ? this.#repeatLast() : this.#message(bytes);
  }

  passedOver(): void {
    this.#lastEnd = this.#lastStart;
  }

  settle(): void {
    const length = this.#lastEnd - this.#lastStart;
    if (length === 0 || this.#last === this.#kept) return;
    if (length > this.#kept.length) this.#kept = Buffer.alloc(2 * length);
    this.#last.copy(this.#kept, 0, this.#lastStart, this.#lastEnd);
    this.#last = this.#kept;
    this.#lastStart = 0;
    this.#lastEnd = length;
  }

  save(): SavedSyslogFile {
    if (this.#lastEnd === this.#lastStart) return {};
    return { last: this.#last.toString('latin1', this.#lastStart, this.#lastEnd) };
  }

  /** journald reads the kernel's ring once: what it writes is no replay, whatever its stamp. */
  #journal(line: string): ParsedLine {
    this.#lastEnd = this.#lastStart;
    const entry = readJournalEntry(line);
    if (entry === undefined) return this.#refuse('bad_json');
    if (!entry.isKernel) return FOREIGN;
    this.#envelope.take(0, entry.message.length, entry.timeUs, entry.stampUs);
    return this.#message(entry.message);
  }

  /** What the envelope's message is. */
  #message(bytes: Buffer): ParsedLine {
    const envelope = this.#envelope;
    const { walk } = this.#flow;
    this.#lastEnd = this.#lastStart;
    if (this.#flow.recognize(bytes, envelope.bodyStart, envelope.bodyEnd)) return this.#ours(bytes);

    let refused: UnparsableReason | undefined;
    if (walk.guess(bytes, envelope.bodyStart, envelope.bodyEnd)) {
      refused = walk.walk();
      if (!walk.isOnlyPacket()) {
        walk.find(bytes, envelope.bodyStart, envelope.bodyEnd);
        refused = walk.walk();
      }
    } else if (walk.find(bytes, envelope.bodyStart, envelope.bodyEnd)) {
      refused = walk.walk();
    } else {
      return this.#withoutPacket(bytes);
    }

    const { prefixes } = this.#shared;
    let prefix = prefixes.of(bytes, walk.prefixStart, walk.packetStart);
    if (!prefix.ours && envelope.hostlessStart < envelope.bodyStart) {
      const hostless = prefixes.of(bytes, envelope.hostlessStart, walk.packetStart);
      if (hostless.ours) {
        prefix = hostless;
        walk.prefixStart = envelope.hostlessStart;
        envelope.hostEnd = envelope.hostStart;
      }
    }
    this.#flow.prefix = prefix;
    if (!prefix.ours) return prefix.text === '' && refused === undefined ? this.#echo() : FOREIGN;
    if (prefix.torn) refused = 'truncated';
    if (refused !== undefined) return this.#refuse(refused);
    this.#flow.take(walk.prefixStart === envelope.bodyStart);
    return this.#ours(bytes);
  }

  #ours(bytes: Buffer): ParsedLine {
    const flow = this.#flow;
    if (!this.#readTime(bytes)) return this.#refuse('no_timestamp');
    if (Number.isNaN(flow.timeUs)) return REPLAYED;
    flow.count = Math.max(1, this.#envelope.repeat);
    const { mergePair } = this.#options;
    if (mergePair !== 'none') {
      const hash = flow.packetHash();
      const timeUs = this.#pairTimeUs();
      if ((mergePair === 'all' || flow.prefix.text === '') && this.#pair.isSecond(hash, timeUs))
        return MERGED;
      this.#pair.remember(hash, timeUs);
    }
    this.#last = bytes;
    this.#lastStart = flow.walk.prefixStart;
    this.#lastEnd = flow.walk.end;
    return flow;
  }

  /** A packet without prefix: foreign, unless it was logged with one of ours just before. */
  #echo(): ParsedLine {
    if (this.#options.mergePair === 'none') return FOREIGN;
    this.#flow.hash();
    return this.#pair.isSecond(this.#flow.packetHash(), this.#pairTimeUs()) ? MERGED : FOREIGN;
  }

  /** Sets the flow's time, to NaN for a line that was already read. @returns false where there is none */
  #readTime(bytes: Buffer): boolean {
    const { stampUs, timeUs, digits, finer, hostStart, hostEnd, repeat } = this.#envelope;
    const flow = this.#flow;
    const { bootTimeUs } = this.#options;
    flow.timeUs = timeUs;
    flow.timeDigits = digits;
    flow.timeFiner = finer;
    if (Number.isNaN(timeUs)) {
      if (stampUs < 0 || bootTimeUs === undefined) return false;
      flow.timeUs = bootTimeUs + stampUs;
      flow.timeDigits = 6;
    }
    // The message of a repetition was read before, and its stamp is that of the first.
    if (stampUs < 0 || repeat > 0 || this.#isJournal) return true;
    const clock = this.#shared.clock(bytes, hostStart, hostEnd);
    const resolutionUs = RESOLUTION_US[flow.timeDigits] ?? 1;
    const eventUs = clock.read(stampUs, flow.timeUs, resolutionUs, flow.messageHash());
    if (Number.isNaN(eventUs)) {
      flow.timeUs = eventUs;
    } else if (flow.timeDigits === 0) {
      flow.timeUs = eventUs;
      flow.timeDigits = 6;
    }
    return true;
  }

  #pairTimeUs(): number {
    const { stampUs, timeUs } = this.#envelope;
    return stampUs < 0 ? timeUs : stampUs;
  }

  #repeatLast(): ParsedLine {
    if (this.#lastEnd === this.#lastStart) return FOREIGN;
    const flow = this.#flow;
    const { walk } = flow;
    if (Number.isNaN(this.#envelope.timeUs)) return this.#refuse('no_timestamp');
    if (!flow.recognize(this.#last, this.#lastStart, this.#lastEnd)) {
      walk.find(this.#last, this.#lastStart, this.#lastEnd);
      walk.walk();
      flow.prefix = this.#shared.prefixes.of(this.#last, this.#lastStart, walk.packetStart);
      flow.take(false);
    }
    flow.timeUs = this.#envelope.timeUs;
    flow.timeDigits = this.#envelope.digits;
    flow.timeFiner = this.#envelope.finer;
    flow.count = this.#envelope.repeatLast;
    return { kind: 'repeated', line: flow };
  }

  /** No packet, but what may be the beginning of one of ours. */
  #withoutPacket(bytes: Buffer): ParsedLine {
    const { bodyStart, bodyEnd, hostlessStart } = this.#envelope;
    for (const start of [bodyStart, hostlessStart]) {
      const textEnd = Math.min(bodyEnd, start + TEXT_BYTES_MAX);
      if (!this.#shared.prefixes.of(bytes, start, textEnd).ours) continue;
      const cut = bytes.toString('latin1', start, textEnd).includes('IN=');
      return this.#refuse(cut ? 'truncated' : 'not_a_packet');
    }
    return FOREIGN;
  }

  #refuse(reason: UnparsableReason): RefusedLine {
    this.#refused.reason = reason;
    return this.#refused;
  }
}
