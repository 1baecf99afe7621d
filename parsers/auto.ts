import { type DetectableFormat, detectFormat } from './detect.ts';
import type { Format, LineParser, ParsedLine } from './line.ts';
import { FOREIGN } from './parsed.ts';

/**
 * Lines of any format, each of which says itself what it is. A line that is of none is foreign. For reading once,
 * as `parse` does; it saves nothing.
 * @param formatOf makes a format; called once for each that occurs
 */
export function autoFormat(formatOf: (name: DetectableFormat) => Format): Format {
  return {
    name: 'auto',
    needles: [],
    open: () => new AutoParser(formatOf),
    save: () => null,
    restore: () => {},
  };
}

class AutoParser implements LineParser {
  readonly #formatOf: (name: DetectableFormat) => Format;
  readonly #parsers = new Map<DetectableFormat, LineParser>();

  constructor(formatOf: (name: DetectableFormat) => Format) {
    this.#formatOf = formatOf;
  }

  parse(bytes: Buffer, start: number, end: number, nowUs: number): ParsedLine {
    const name = detectFormat(bytes, start, end);
    if (name === undefined) return FOREIGN;
    let parser = this.#parsers.get(name);
    if (parser === undefined) {
      parser = this.#formatOf(name).open();
      this.#parsers.set(name, parser);
    }
    return parser.parse(bytes, start, end, nowUs);
  }

  passedOver(): void {}

  save(): unknown {
    return undefined;
  }
}
