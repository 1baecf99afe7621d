import { Buffer } from 'node:buffer';
import { type Piece, pieceOf } from './byte-writer.ts';
import { escapePattern, PrefixTemplate } from './prefix-template.ts';
import type { Disposition, Policy } from './record.ts';

export interface PrefixOptions {
  /** Literals, patterns with `*`, or `/regular expressions/`. */
  readonly prefixes: readonly string[];
  readonly prefixTemplate?: string | undefined;
  readonly dispositions: readonly DispositionRule[];
}

export interface DispositionRule {
  readonly prefix?: string | undefined;
  /** `NAMESPACE/NAME` or `NAME`. */
  readonly policy?: string | undefined;
  readonly disposition: Disposition;
}

/** What one log prefix means. */
export interface Prefix {
  readonly ours: boolean;
  /** Without the `: ` that closes it; `''` for a rule without prefix. */
  readonly text: string;
  readonly disposition: Disposition;
  /** Disposition and policies as members of a record's JSON, each with a comma before it. */
  readonly verdictJson: Piece;
  /** The prefix likewise. */
  readonly textJson: Piece;
  /** Calico logs the packet that answers a connection: source and destination are the other way round. */
  readonly response: boolean;
  /** Not a prefix: a line that was cut and ran together with the next. */
  readonly torn: boolean;
}

/** The kernel keeps this much of a prefix: with iptables, with nft. */
const CUT_LENGTHS = new Set([29, 127]);
const PREFIX_LENGTH_MAX = 127;
/** The kernel's longest prefix with every byte escaped as `#ooo`. */
const PREFIX_BYTES_MAX = 4 * PREFIX_LENGTH_MAX;
/** What the envelope of a second line would bring into a prefix. */
const ENVELOPE = /\bkernel:|\d\d:\d\d:\d\d/;
const REMEMBERED_MAX = 1024;

/**
 * Decides by its log prefix whose a packet is. A literal fits a prefix that equals it, or begins with it
 * where no word goes on (`calico-packet` fits `calico-packet: ` and `calico-packet default np a`, and not
 * `calico-packet-2`). What a prefix means is worked out once and remembered, up to `REMEMBERED_MAX` prefixes.
 */
export class PrefixRules {
  readonly #fits: ((text: string, raw: string) => boolean)[];
  readonly #template: PrefixTemplate | undefined;
  readonly #dispositions: { fits: (text: string, raw: string) => boolean; rule: DispositionRule }[];
  readonly #remembered = new Map<string, Prefix>();
  #lastRaw = '';
  #last: Prefix;

  constructor(options: PrefixOptions) {
    this.#fits = options.prefixes.map(prefixTest);
    this.#template =
      options.prefixTemplate === undefined
        ? undefined
        : new PrefixTemplate(trimPrefix(options.prefixTemplate));
    this.#dispositions = options.dispositions.map((rule) => ({
      fits: rule.prefix === undefined ? () => true : prefixTest(rule.prefix),
      rule,
    }));
    this.#last = this.#read('');
  }

  /** What the prefix in `bytes[start, end)` means. */
  of(bytes: Buffer, start: number, end: number): Prefix {
    if (end - start === this.#lastRaw.length && stands(bytes, start, this.#lastRaw)) return this.#last;
    const raw = bytes.toString('latin1', start, Math.min(end, start + PREFIX_BYTES_MAX + 1));
    let prefix = this.#remembered.get(raw);
    if (!prefix) {
      if (this.#remembered.size >= REMEMBERED_MAX) this.#remembered.clear();
      prefix = this.#read(raw);
      this.#remembered.set(raw, prefix);
    }
    this.#lastRaw = raw;
    this.#last = prefix;
    return prefix;
  }

  #read(latin1: string): Prefix {
    const raw = unescapeControls(Buffer.from(latin1, 'latin1').toString('utf8'));
    const text = trimPrefix(raw);
    const torn = latin1.length > PREFIX_BYTES_MAX || raw.length > PREFIX_LENGTH_MAX || ENVELOPE.test(raw);
    const cut = CUT_LENGTHS.has(raw.length) && !/: ?$/.test(raw);
    const reading = torn ? undefined : this.#template?.read(text, cut);
    const policies = reading?.policies;
    const fitting = this.#dispositions.find((one) => one.fits(text, raw) && fitsPolicy(one.rule, policies));
    const disposition = fitting?.rule.disposition ?? 'unknown';
    return {
      ours: reading !== undefined || this.#fits.some((fits) => fits(text, raw)),
      text,
      disposition,
      verdictJson: members({ disposition, policies }),
      textJson: members({ prefix: text }),
      response: text.startsWith('calico-response-'),
      torn,
    };
  }
}

function members(object: object): Piece {
  return pieceOf(`,${JSON.stringify(object).slice(1, -1)}`);
}

/** Whether a prefix fits the pattern. */
function prefixTest(pattern: string): (text: string, raw: string) => boolean {
  const inSlashes = /^\/(.*)\/$/s.exec(pattern);
  if (inSlashes) {
    const expression = new RegExp(inSlashes[1]!);
    return (text, raw) => expression.test(text) || expression.test(raw);
  }
  if (pattern.includes('*')) {
    const expression = new RegExp(`^${trimPrefix(pattern).split('*').map(escapePattern).join('.*')}$`, 's');
    return (text) => expression.test(text);
  }
  const literal = trimPrefix(pattern);
  const goesOn = /[\w-]$/.test(literal) ? /^[\w-]/ : /^(?!)/;
  return (text, raw) =>
    (text.startsWith(literal) && !goesOn.test(text.slice(literal.length))) ||
    (CUT_LENGTHS.has(raw.length) && literal.startsWith(raw));
}

function fitsPolicy(rule: DispositionRule, policies: readonly Policy[] | undefined): boolean {
  if (rule.policy === undefined) return true;
  const { policy } = rule;
  return (
    policies?.some(
      ({ name, namespace, truncated }) =>
        !truncated && (policy === name || (namespace !== undefined && policy === `${namespace}/${name}`)),
    ) ?? false
  );
}

function trimPrefix(raw: string): string {
  return raw.trimEnd().replace(/:$/, '').trimEnd();
}

/** syslog daemons write control characters as `#` and three octal digits. */
export function unescapeControls(text: string): string {
  if (!text.includes('#')) return text;
  return text.replace(/#(0[0-3][0-7]|177)/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}

function stands(bytes: Buffer, start: number, latin1: string): boolean {
  for (let i = 0; i < latin1.length; i++) {
    if (bytes[start + i] !== latin1.charCodeAt(i)) return false;
  }
  return true;
}
