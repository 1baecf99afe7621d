import type { Policy } from './record.ts';

const KINDS = ['np', 'gnp', 'knp', 'kcnp', 'snp', 'sgnp', 'sknp', 'pro'];
const CLUSTER_KINDS = new Set(['gnp', 'kcnp', 'sgnp', 'pro']);
const NAME = '[A-Za-z0-9._-]+';

type Specifier = 't' | 'k' | 'n' | 'p';
type Part = { literal: string } | { specifier: Specifier };
/** What the specifiers gave; `cutName` may end too early, `cutPath` may be a namespace or a name. */
type Field = 'tier' | 'kind' | 'name' | 'namespace' | 'cutName' | 'cutPath';

/** What a prefix says by the template; `policies` is absent where it names none for certain. */
export interface TemplateReading {
  policies?: Policy[];
}

/**
 * Reads Calico's `logPrefix` backwards: `%t` tier, `%k` kind, `%n` name, `%p` namespace/name.
 *
 * A prefix that can be read in two ways gives no policy, and one that the kernel cut gives only what stands
 * whole before the cut, or a name marked `truncated`: never a wrong name.
 */
export class PrefixTemplate {
  readonly #whole: RegExp[];
  readonly #cut: RegExp[][];

  constructor(template: string) {
    const parts = split(template);
    this.#whole = readings(parts.map(source).join(''));
    this.#cut = parts.map((part, i) => readings(parts.slice(0, i).map(source).join('') + cutSource(part, i)));
  }

  /**
   * @param text the prefix without its closing colon and space
   * @param cut whether the kernel may have cut it
   * @returns undefined where the prefix is not of this template
   */
  read(text: string, cut: boolean): TemplateReading | undefined {
    const found: (TemplateReading | undefined)[] = [];
    if (cut) for (const lastPart of this.#cut) found.push(reading(lastPart, text));
    else found.push(reading(this.#whole, text));
    const fitting = found.filter((one) => one !== undefined);
    return fitting.length > 1 ? {} : fitting[0];
  }
}

function split(template: string): Part[] {
  const parts: Part[] = [];
  for (const piece of template.split(/(%[tknp])/)) {
    if (/^%[tknp]$/.test(piece)) parts.push({ specifier: piece[1] as Specifier });
    else if (piece !== '') parts.push({ literal: piece });
  }
  return parts;
}

/** The same pattern greedy and lazy: where they differ, the text can be read in two ways. */
function readings(pattern: string): RegExp[] {
  return [new RegExp(`^${pattern}$`), new RegExp(`^${pattern.replaceAll(NAME, `${NAME}?`)}$`)];
}

/** A group's name must be unique in its pattern, so it ends in the part's number. */
function source(part: Part, i: number): string {
  if ('literal' in part) return escapePattern(part.literal);
  switch (part.specifier) {
    case 't':
      return `(?<tier${i}>${NAME})`;
    case 'k':
      return `(?<kind${i}>${KINDS.join('|')})`;
    case 'n':
      return `(?<name${i}>${NAME})`;
    case 'p':
      return `(?:(?<namespace${i}>${NAME})/)?(?<name${i}>${NAME})`;
  }
}

/** The part as the last one before a cut: at least one character of it is there. */
function cutSource(part: Part, i: number): string {
  if ('literal' in part) {
    return [...part.literal].reduceRight((rest, char) => escapePattern(char) + (rest && `(?:${rest})?`), '');
  }
  switch (part.specifier) {
    case 't':
    case 'k':
      return NAME;
    case 'n':
      return `(?<cutName${i}>${NAME})`;
    case 'p':
      return `(?:(?:(?<namespace${i}>${NAME})/)?(?<cutPath${i}>${NAME})|${NAME}/)`;
  }
}

function reading([greedy, lazy]: RegExp[], text: string): TemplateReading | undefined {
  const one = greedy!.exec(text);
  const other = lazy!.exec(text);
  if (!one || !other) return undefined;
  if (one.slice(1).join('\0') !== other.slice(1).join('\0')) return {};
  const policy = policyOf(one.groups ?? {});
  return policy ? { policies: [policy] } : {};
}

function policyOf(groups: Record<string, string | undefined>): Policy | undefined {
  const found = new Map<Field, string>();
  for (const [group, value] of Object.entries(groups)) {
    const field = group.replace(/\d+$/, '') as Field;
    if (value === undefined) continue;
    if (found.has(field) && found.get(field) !== value) return undefined;
    found.set(field, value);
  }
  const kind = found.get('kind');
  const namespace = found.get('namespace');
  let name = found.get('name');
  let truncated = false;
  if (name === undefined) {
    name = found.get('cutName');
    const path = found.get('cutPath');
    if (path !== undefined && (namespace !== undefined || CLUSTER_KINDS.has(kind ?? ''))) name = path;
    truncated = true;
  }
  if (name === undefined) return undefined;
  const policy: Policy = { name };
  if (namespace !== undefined) policy.namespace = namespace;
  if (kind !== undefined) policy.kind = kind;
  if (found.has('tier')) policy.tier = found.get('tier')!;
  if (truncated) policy.truncated = true;
  return policy;
}

/** `text` as a pattern that fits exactly it. */
export function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
