import { Buffer } from 'node:buffer';
import { type DetectableFormat, detectFormat, MARKS } from './detect.ts';
import type { Format, LineParser, ParsedLine } from './line.ts';
import { FOREIGN } from './parsed.ts';

/**
 * Lines of any format, each of which says itself what it is. A line that is of none is foreign. For reading once,
 * as `parse` does; it saves nothing.
 * @param formatOf makes a format
 */
export function autoFormat(formatOf: (name: DetectableFormat) => Format): Format {
  const { needles, sequels = [] } = formatOf('syslog');
  return {
    name: 'auto',
    needles: [...needles, ...MARKS],
    sequels,
    open: () => new AutoParser(formatOf),
    save: () => null,
    restore: () => {},
  };
}

/** A format that occurred. */
interface Occurring {
  /** A line that holds none of these is foreign. */
  readonly texts: readonly Buffer[];
  readonly parser: LineParser;
}

class AutoParser implements LineParser {
  readonly #formatOf: (name: DetectableFormat) => Format;
  readonly #occurring = new Map<DetectableFormat, Occurring>();

  constructor(formatOf: (name: DetectableFormat) => Format) {
    this.#formatOf = formatOf;
  }

  parse(bytes: Buffer, start: number, end: number, nowUs: number): ParsedLine {
    const name = detectFormat(bytes, start, end);
    if (name === undefined) return FOREIGN;
    const { texts, parser } = this.#occurring.get(name) ?? this.#meet(name);
    if (texts.length === 0) return parser.parse(bytes, start, end, nowUs);
    const line = bytes.subarray(start, end);
    if (texts.some((text) => line.includes(text))) return parser.parse(bytes, start, end, nowUs);
    parser.passedOver();
    return FOREIGN;
  }

  passedOver(): void {
    for (const { parser } of this.#occurring.values()) parser.passedOver();
  }

  settle(): void {
    for (const { parser } of this.#occurring.values()) parser.settle?.();
  }

  save(): unknown {
    return undefined;
  }

  #meet(name: DetectableFormat): Occurring {
    const format = this.#formatOf(name);
    const texts = [...format.needles, ...(format.sequels ?? [])].map((text) => Buffer.from(text));
    const occurring = { texts, parser: format.open() };
    this.#occurring.set(name, occurring);
    return occurring;
  }
}
