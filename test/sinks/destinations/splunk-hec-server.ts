import type { Reaction, ReceivedRequest } from '../http-fixture.ts';

export interface HecEvent {
  readonly time?: number;
  readonly host?: string;
  readonly source?: string;
  readonly sourcetype?: string;
  readonly index?: string;
  readonly fields?: Record<string, unknown>;
  readonly event: unknown;
}

/** What the collector refuses, as it is documented: HTTP status, code, text. */
const ERRORS = {
  tokenDisabled: [403, 1, 'Token disabled'],
  tokenRequired: [401, 2, 'Token is required'],
  invalidAuthorization: [401, 3, 'Invalid authorization'],
  invalidToken: [403, 4, 'Invalid token'],
  noData: [400, 5, 'No data'],
  invalidFormat: [400, 6, 'Invalid data format'],
  incorrectIndex: [400, 7, 'Incorrect index'],
  busy: [503, 9, 'Server is busy'],
  channelMissing: [400, 10, 'Data channel is missing'],
  invalidChannel: [400, 11, 'Invalid data channel'],
  eventRequired: [400, 12, 'Event field is required'],
  eventBlank: [400, 13, 'Event field cannot be blank'],
  ackDisabled: [400, 14, 'ACK is disabled'],
  indexedFields: [400, 15, 'Error in handling indexed fields'],
} as const;
type ErrorName = keyof typeof ERRORS;

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Splunk's HTTP Event Collector, as far as its protocol goes: tokens, channels, events one behind the other, indexer
 * acknowledgement. Events that were accepted are indexed a few questions later; a crash loses those that were not, all
 * channels, and what was acknowledged and not asked for.
 */
export class SplunkHecServer {
  readonly token = '7c2a5b1e-0000-4000-8000-000000000001';
  /** Events that are indexed, in that order. */
  readonly indexed: HecEvent[] = [];
  isTokenEnabled = true;
  hasAcknowledgement = false;
  /** So many questions about a request are answered with no. */
  questionsBefore = 1;
  /** Indexes that the token allows; undefined: all. */
  indexes: readonly string[] | undefined;
  /** Events that cannot be parsed, for whatever reason. */
  isBroken: (event: HecEvent) => boolean = () => false;
  #channels = new Map<string, Request[]>();

  /** Loses what a process loses. */
  crash(): void {
    this.#channels = new Map();
  }

  answer(request: ReceivedRequest): Reaction {
    const { method, path, headers } = request;
    const url = new URL(path, 'http://collector');
    if (method !== 'POST') return reply(405, { text: 'Method not allowed', code: 405 });
    const isEvent = /^\/services\/collector(\/event(\/1\.0)?)?$/.test(url.pathname);
    const isQuestion = url.pathname === '/services/collector/ack';
    if (!isEvent && !isQuestion)
      return reply(404, { text: 'The requested URL was not found on this server.', code: 404 });
    const { authorization } = headers;
    if (authorization === undefined) return refuse('tokenRequired');
    if (!authorization.startsWith('Splunk ')) return refuse('invalidAuthorization');
    if (authorization !== `Splunk ${this.token}`) return refuse('invalidToken');
    if (!this.isTokenEnabled) return refuse('tokenDisabled');
    const channel = headers['x-splunk-request-channel'] ?? url.searchParams.get('channel') ?? undefined;
    if (this.hasAcknowledgement && channel === undefined) return refuse('channelMissing');
    if (channel !== undefined && !GUID.test(String(channel))) return refuse('invalidChannel');
    return isEvent ? this.#take(request.body, String(channel)) : this.#tell(request.body, String(channel));
  }

  #take(body: string, channel: string): Reaction {
    if (body.trim() === '') return refuse('noData');
    const taken: HecEvent[] = [];
    let error: ErrorName | undefined;
    for (const text of eventTexts(body)) {
      error = this.#check(text);
      if (error !== undefined) break;
      taken.push(JSON.parse(text));
    }
    // What stands before an event that is refused is taken.
    if (error !== undefined || !this.hasAcknowledgement) {
      this.indexed.push(...taken);
      if (error !== undefined) return refuse(error, { 'invalid-event-number': taken.length });
      return reply(200, { text: 'Success', code: 0 });
    }
    const requests = this.#channels.get(channel) ?? [];
    this.#channels.set(channel, requests);
    requests.push({ events: taken, questions: 0, isTold: false });
    return reply(200, { text: 'Success', code: 0, ackId: requests.length - 1 });
  }

  #check(text: string): ErrorName | undefined {
    let event: Partial<HecEvent>;
    try {
      event = JSON.parse(text);
    } catch {
      return 'invalidFormat';
    }
    if (!('event' in event)) return 'eventRequired';
    if (event.event === '' || event.event === null) return 'eventBlank';
    if (event.time !== undefined && typeof event.time !== 'number') return 'invalidFormat';
    const texts = [event.host, event.source, event.sourcetype, event.index];
    if (texts.some((value) => value !== undefined && typeof value !== 'string')) return 'invalidFormat';
    const unknown = Object.keys(event).filter((key) => !KEYS.has(key));
    if (unknown.length > 0 || this.isBroken(event as HecEvent)) return 'invalidFormat';
    if (event.index !== undefined && this.indexes?.includes(event.index) === false) return 'incorrectIndex';
    return Object.values(event.fields ?? {}).every(isFlat) ? undefined : 'indexedFields';
  }

  #tell(body: string, channel: string): Reaction {
    if (!this.hasAcknowledgement) return refuse('ackDisabled');
    const { acks } = JSON.parse(body) as { acks: number[] };
    const requests = this.#channels.get(channel) ?? [];
    return reply(200, { acks: Object.fromEntries(acks.map((id) => [id, this.#isIndexed(requests[id])])) });
  }

  /** Says yes once, and then forgets. */
  #isIndexed(request: Request | undefined): boolean {
    if (request === undefined || request.isTold) return false;
    if (request.questions++ < this.questionsBefore) return false;
    this.indexed.push(...request.events);
    request.isTold = true;
    return true;
  }
}

interface Request {
  readonly events: readonly HecEvent[];
  questions: number;
  isTold: boolean;
}

const KEYS = new Set(['time', 'host', 'source', 'sourcetype', 'index', 'fields', 'event']);

function isFlat(value: unknown): boolean {
  return Array.isArray(value) ? value.every((item) => typeof item === 'string') : typeof value !== 'object';
}

function refuse(name: ErrorName, more: object = {}): Reaction {
  const [status, code, text] = ERRORS[name];
  return reply(status, { text, code, ...more });
}

function reply(status: number, body: object): Reaction {
  return { kind: 'answer', status, body: JSON.stringify(body) };
}

/** The collector's answer when its queues are full. */
export const BUSY = refuse('busy');

/** Events stand behind each other, with white space between them or none; what is left over is one that is broken. */
function* eventTexts(body: string): Generator<string> {
  let depth = 0;
  let inText = false;
  let start = 0;
  for (let at = 0; at < body.length; at++) {
    const char = body[at];
    if (inText) {
      if (char === '\\') at++;
      else if (char === '"') inText = false;
    } else if (char === '"') inText = true;
    else if (char === '{') depth++;
    else if (char === '}' && --depth === 0) {
      yield body.slice(start, at + 1);
      start = at + 1;
    }
  }
  if (body.slice(start).trim() !== '') yield body.slice(start);
}
