import { Random } from '../random.ts';
import { type Conversation, Conversations } from './conversations.ts';
import type { LineSource } from './line-source.ts';
import { type Envelope, microseconds, Stamps } from './stamps.ts';

export interface PacketLinesOptions {
  seed: number;
  /** Event time of the first line, in microseconds since the epoch. */
  startUs: number;
  linesPerSecond: number;
  /** Conversations that are kept alive at any time. */
  conversations: number;
  /** How long a conversation lasts, on average. */
  conversationUs?: number;
  /** Pods on the node. */
  pods?: number;
  prefixes?: readonly string[];
  host?: string;
  envelope?: Envelope;
  /** Whether lines carry the kernel's `[uptime]`. */
  uptime?: boolean;
  /** Whether a dropped packet is sent again, as TCP and resolvers do. */
  retries?: boolean;
}

interface Attempt {
  dueUs: number;
  conversation: Conversation;
  id: number;
  port: number;
  /** Packets that follow this one. */
  left: number;
}

/** Pauses before a client's kernel sends its SYN again: 1 s, doubled, with the slack of its timers. */
const RETRY_PAUSES_US = [1_024_000, 2_016_000, 4_128_000];
/** The window of the aggregation, for `merged`. */
const WINDOW_US = 5_000_000;

/**
 * Lines that the kernel writes for a Calico `Log` rule on a node whose policies deny: clients that connect
 * again and again, each SYN sent again by their kernel from the same source port. Knows what an aggregation
 * with windows of 5 s makes of them.
 */
export class PacketLines implements LineSource {
  nextUs: number;
  /** Lines given. */
  lines = 0;
  /** Of them, those that fall into a window that an earlier one opened. */
  merged = 0;

  readonly #random: Random;
  readonly #stamps = new Stamps();
  readonly #envelope: Envelope;
  readonly #tag: string;
  readonly #uptime: boolean;
  readonly #bootUs: number;
  readonly #retries: boolean;
  readonly #pauseUs: number;
  readonly #maker: Conversations;
  readonly #conversations: Conversation[];
  readonly #queues = RETRY_PAUSES_US.map(() => ({ items: [] as Attempt[], head: 0 }));
  #freshUs: number;
  #nextQueue = -1;

  constructor(options: PacketLinesOptions) {
    const random = new Random(options.seed);
    this.#random = random;
    this.#envelope = options.envelope ?? 'rfc3339';
    this.#uptime = options.uptime ?? true;
    this.#tag = ` ${options.host ?? 'worker-1'} kernel: `;
    this.#bootUs = options.startUs - 158_271_044_316;
    this.#retries = options.retries ?? true;
    // With retries a connection makes 2.6 lines on average.
    this.#pauseUs = ((this.#retries ? 2.6 : 1) * 1_000_000) / options.linesPerSecond;
    const lifetimeUs = options.conversationUs ?? 120_000_000;
    this.#maker = new Conversations(
      random,
      options.prefixes ?? ['calico-packet'],
      options.pods ?? 110,
      lifetimeUs,
    );
    this.#conversations = Array.from({ length: options.conversations }, () =>
      this.#maker.make(options.startUs - Math.floor(random.unit() * lifetimeUs)),
    );
    this.#freshUs = options.startUs;
    this.nextUs = options.startUs;
  }

  next(): string {
    const attempt = this.#nextQueue < 0 ? this.#connect() : this.#takeRetry(this.#nextQueue);
    const timeUs = attempt.dueUs;
    const conversation = attempt.conversation;
    this.lines++;
    if (timeUs - conversation.windowUs < WINDOW_US) this.merged++;
    else conversation.windowUs = timeUs;

    let line = this.#stamps.stamp(this.#envelope, timeUs) + this.#tag;
    if (this.#uptime) {
      const sinceBootUs = timeUs - this.#bootUs;
      line += `[${Math.floor(sinceBootUs / 1_000_000)}.${microseconds(sinceBootUs)}] `;
    }
    line += conversation.before + attempt.id + conversation.between + attempt.port + conversation.after;

    const retry = this.#nextQueue + 1;
    if (attempt.left > 0 && retry < RETRY_PAUSES_US.length) {
      attempt.left--;
      attempt.dueUs = timeUs + RETRY_PAUSES_US[retry]!;
      attempt.id = attempt.id === conversation.idMax ? 1 : attempt.id + 1;
      this.#queues[retry]!.items.push(attempt);
    }
    this.#findNext();
    return `${line}\n`;
  }

  /** A new connection of one of the live conversations; a few of them make most of the noise. */
  #connect(): Attempt {
    const random = this.#random;
    const dueUs = this.#freshUs;
    this.#freshUs += 1 + Math.floor(this.#pauseUs * 2 * random.unit());
    const at = Math.floor(this.#conversations.length * random.unit() ** 1.5);
    let conversation = this.#conversations[at]!;
    if (conversation.endsUs <= dueUs) {
      conversation = this.#maker.make(dueUs);
      this.#conversations[at] = conversation;
    }
    return {
      dueUs,
      conversation,
      id: 1 + random.below(conversation.idMax),
      port: 32768 + random.below(28232),
      left: this.#retries ? packetsAfterFirst(conversation, random) : 0,
    };
  }

  #takeRetry(at: number): Attempt {
    const queue = this.#queues[at]!;
    const attempt = queue.items[queue.head++]!;
    if (queue.head > 4096 && queue.head * 2 > queue.items.length) {
      queue.items.splice(0, queue.head);
      queue.head = 0;
    }
    return attempt;
  }

  /** Each queue has one pause for all, so its first is its earliest. */
  #findNext(): void {
    this.nextUs = this.#freshUs;
    this.#nextQueue = -1;
    for (let at = 0; at < this.#queues.length; at++) {
      const queue = this.#queues[at]!;
      const attempt = queue.items[queue.head];
      if (attempt !== undefined && attempt.dueUs <= this.nextUs) {
        this.nextUs = attempt.dueUs;
        this.#nextQueue = at;
      }
    }
  }
}

/** Clients give up after a second, five, or ten; resolvers ask twice; ping goes on. */
function packetsAfterFirst(conversation: Conversation, random: Random): number {
  const patience = random.unit();
  if (conversation.protocol === 'udp') return patience < 0.6 ? 0 : 1;
  return patience < 0.1 ? 0 : patience < 0.3 ? 1 : patience < 0.75 ? 2 : 3;
}
