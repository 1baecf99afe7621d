import type { Alias, Document, Node, Pair, YAMLMap } from 'yaml';
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { Path } from './path.ts';
import { pathText } from './path.ts';
import type { Finding, Place } from './problem.ts';

const DEPTH_MAX = 64;
const NODES_MAX = 50_000;
const FINDINGS_MAX = 20;

/**
 * YAML as plain values, with the place of each in the text.
 *
 * Promises: anchors, aliases and merge keys (`<<`) are resolved; a key without a value counts as absent, so
 * that a section whose lines are all commented out keeps its defaults; every syntax problem is returned, none
 * is thrown. Refuses: more than one document, keys that are not text, a key given twice, tags, nesting beyond
 * `DEPTH_MAX`, and aliases that unfold into more than `NODES_MAX` values.
 */
export interface YamlTree {
  /** `undefined` where the syntax is too broken to say anything about the content. */
  readonly value: unknown;
  readonly findings: readonly Finding[];
  /** Where a finding is: its value, or the nearest thing around it that exists. */
  place(finding: Finding): Place;
}

export function readYaml(text: string): YamlTree {
  const lines = new LineCounter();
  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const nowhere = () => ({ line: 1, column: 1 });
  let document: Document.Parsed;
  try {
    document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  } catch (error) {
    // The parser is recursive: brackets by the thousand exhaust its stack.
    if (!(error instanceof RangeError)) throw error;
    return {
      value: undefined,
      findings: [{ path: [], message: 'cannot be read: nested too deeply' }],
      place: nowhere,
    };
  }
  const findings: Finding[] = [...document.errors, ...document.warnings]
    // Once the parser is out of step, every further token surprises it.
    .filter(({ code }, i) => i === 0 || code !== 'UNEXPECTED_TOKEN')
    .slice(0, FINDINGS_MAX)
    .map(({ code, message, pos: [offset] }) => ({
      path: [],
      offset,
      message: syntaxMessage(code, message, text, offset),
    }));
  if (document.errors.length > 0) {
    return { value: undefined, findings, place: (finding) => at(finding.offset ?? 0) };
  }
  const walk = new Walk(document, (offset) => at(offset).line);
  const value = walk.value(document.contents, []);
  return {
    value: value ?? {},
    findings: [...findings, ...walk.findings.slice(0, FINDINGS_MAX)],
    place: (finding) => at(finding.offset ?? walk.offsetOf(finding)),
  };
}

/** Turns nodes into values and remembers where they stood. */
class Walk {
  readonly findings: Finding[] = [];
  readonly #document: Document.Parsed;
  readonly #lineOf: (offset: number) => number;
  readonly #values = new Map<string, number>();
  readonly #keys = new Map<string, number>();
  #nodes = 0;

  constructor(document: Document.Parsed, lineOf: (offset: number) => number) {
    this.#document = document;
    this.#lineOf = lineOf;
  }

  offsetOf({ path, atKey }: Finding): number {
    if (atKey) {
      const offset = this.#keys.get(pathText(path));
      if (offset !== undefined) return offset;
    }
    for (let length = path.length; length > 0; length--) {
      const offset = this.#values.get(pathText(path.slice(0, length)));
      if (offset !== undefined) return offset;
    }
    return 0;
  }

  value(node: unknown, path: Path): unknown {
    const offset = startOf(node);
    if (++this.#nodes > NODES_MAX) {
      // Said once: every further value would say the same.
      if (this.#nodes > NODES_MAX + 1) return undefined;
      return this.#refuse([], offset, `more than ${NODES_MAX} values; aliases may multiply them`);
    }
    if (path.length > DEPTH_MAX) {
      return this.#refuse(path.slice(0, 3), offset, 'nested too deeply, or an alias that holds itself');
    }
    const text = pathText(path);
    // What stands in the mapping itself comes before what a merge brings to the same path.
    if (offset !== undefined && !this.#values.has(text)) this.#values.set(text, offset);
    if (isScalar(node)) return node.value;
    if (isMap(node)) return this.#mapping(node, path);
    if (isSeq(node)) return node.items.map((item, i) => this.value(item, [...path, i]));
    if (isAlias(node)) return this.#alias(node, path);
    return null;
  }

  #alias(alias: Alias, path: Path): unknown {
    const target = alias.resolve(this.#document);
    if (target !== undefined) return this.value(target, path);
    return this.#refuse(path, startOf(alias), `there is no anchor &${alias.source} before this alias`);
  }

  #mapping(map: YAMLMap, path: Path): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    const merges: Pair[] = [];
    for (const pair of map.items) {
      const { key } = pair;
      const offset = startOf(key) ?? startOf(map) ?? 0;
      if (!isScalar(key) || key.value === null) {
        this.#refuse(path, offset, 'a key must be text');
        continue;
      }
      const name = String(key.value);
      if (name === '<<' && key.type === 'PLAIN') {
        merges.push(pair);
        continue;
      }
      const here = [...path, name];
      const text = pathText(here);
      if (Object.hasOwn(result, name)) {
        const first = this.#lineOf(this.#keys.get(text)!);
        this.#refuse(here, offset, `given twice; the first is on line ${first}`);
        continue;
      }
      this.#keys.set(text, offset);
      define(result, name, this.value(pair.value, here) ?? undefined);
    }
    for (const pair of merges) this.#merge(pair, path, result);
    return result;
  }

  #merge(pair: Pair, path: Path, into: Record<string, unknown>): void {
    for (const source of isSeq(pair.value) ? pair.value.items : [pair.value]) {
      const value = this.value(source, path);
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        this.#refuse(path, startOf(pair.key), '`<<` takes an alias of a mapping, or a list of such');
        continue;
      }
      for (const [name, inherited] of Object.entries(value)) {
        if (!Object.hasOwn(into, name)) define(into, name, inherited);
      }
    }
  }

  #refuse(path: Path, offset: number | undefined, message: string): undefined {
    this.findings.push({ path, message, ...(offset === undefined ? {} : { offset }) });
  }
}

function startOf(node: unknown): number | undefined {
  return (node as Node | null)?.range?.[0];
}

// Assignment would make `__proto__` a prototype instead of an unknown key.
function define(object: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
}

function syntaxMessage(code: string, message: string, text: string, offset: number): string {
  if (code === 'MULTIPLE_DOCS') return 'a second document begins here: one file holds one configuration';
  if (code === 'TAG_RESOLVE_FAILED') return `${message}: tags mean nothing here`;
  if (code === 'TAB_AS_INDENT') return 'not valid YAML: a tab; indent with spaces';
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
  const isExpansion = code === 'UNEXPECTED_TOKEN' && text.slice(lineStart, offset + 1).includes('${');
  return `not valid YAML: ${message}${isExpansion ? `; inside { } and [ ] a \${…} needs quotes` : ''}`;
}
