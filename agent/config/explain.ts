import * as z from 'zod/mini';
import { nearest } from './nearest.ts';
import type { Path } from './path.ts';
import { pathText, valueAt } from './path.ts';
import type { Finding } from './problem.ts';

const LISTED_MAX = 24;
const SHOWN_CHARACTERS_MAX = 60;

type Issue = z.core.$ZodIssue;

/**
 * Checks `value` and says, for each problem, what would be right and what is there instead.
 * @param show how a value may be shown at a path; hides secrets
 */
export function checkAgainst<T extends z.ZodMiniType>(
  schema: T,
  value: unknown,
  path: Path,
  show: (path: Path, value: unknown) => unknown,
): { ok: true; value: z.output<T> } | { ok: false; findings: Finding[] } {
  // An issue does not carry the keys that the object would have taken; they are noted while it is made.
  const knownKeys = new WeakMap<readonly string[], string[]>();
  const wanted = (issue: z.core.$ZodRawIssue): string | undefined => {
    if (issue.code === 'unrecognized_keys') {
      const { shape } = (issue.inst as z.core.$ZodObject)._zod.def;
      knownKeys.set(issue.keys, Object.keys(shape));
    }
    return wantedText(issue);
  };
  const result = z.safeParse(schema, value, { error: wanted });
  if (result.success) return { ok: true, value: result.data };

  const mistyped = new Set<string>();
  const finding = (issue: Issue, at: Path): Finding[] => {
    const here: Path = [...at, ...(issue.path as (string | number)[])];
    if (issue.code === 'unrecognized_keys') {
      mistyped.add(pathText(here));
      return issue.keys.map((key) => ({
        path: [...here, key],
        atKey: true,
        message: unknownKey(key, knownKeys.get(issue.keys) ?? []),
      }));
    }
    const found = valueAt(value, here.slice(path.length));
    if (issue.code === 'invalid_union' && issue.errors.length > 0) {
      const branch = closestBranch(issue.errors, found);
      if (branch !== undefined) return branch.flatMap((inner) => finding(inner, here));
      const keys = issue.errors.flatMap((inner) => inner[0]?.path[0] ?? []).join(', ');
      if (typeof found === 'object' && keys !== '') {
        return [{ path: here, message: `expected a mapping that has one of ${keys}; got none of them` }];
      }
      const texts = issue.errors.flatMap((inner) => inner.map(({ message }) => message));
      return [{ path: here, message: mismatch([...new Set(texts)].join(', or '), show(here, found)) }];
    }
    if (issue.code === 'invalid_key') {
      return [{ path: here, atKey: true, message: `expected ${issue.message}; got ${here.at(-1)}` }];
    }
    if (issue.code === 'custom') {
      // A key that is mistyped is also a key that is missing; the first is what to mend.
      if (mistyped.has(pathText(here))) return [];
      const got = typeof found === 'object' ? '' : `; got ${shownText(show(here, found))}`;
      return [{ path: here, message: issue.message + got }];
    }
    const hint = repairHint(issue, found);
    return [{ path: here, message: mismatch(issue.message, show(here, found)) + hint }];
  };
  return { ok: false, findings: result.error.issues.flatMap((issue) => finding(issue as Issue, path)) };
}

/** What an issue's schema would have taken, as a noun; messages given in the schema come before this. */
function wantedText(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return TYPE_NOUNS[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return oneOf(issue.values);
    case 'invalid_union':
      return oneOf(((issue as { options?: unknown }).options as z.core.util.Primitive[]) ?? []);
    case 'too_small':
      return issue.origin === 'array' || issue.origin === 'string'
        ? atLeast(issue.origin, Number(issue.minimum))
        : `a number ${issue.inclusive ? 'from' : 'above'} ${issue.minimum} on`;
    case 'too_big':
      return `at most ${issue.maximum}${issue.origin === 'array' ? ' entries' : ''}`;
    case 'invalid_format':
      return FORMAT_NOUNS[issue.format] ?? `text like ${issue.pattern ?? issue.format}`;
    case 'invalid_key':
      return issue.issues[0]?.message ?? 'another key';
    default:
      return 'something else';
  }
}

const TYPE_NOUNS: Readonly<Record<string, string>> = {
  array: 'a list',
  object: 'a mapping (keys with values)',
  record: 'a mapping (keys with values)',
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
};

const FORMAT_NOUNS: Readonly<Record<string, string>> = {
  cidrv4: 'a network, as 10.0.0.0/8',
  cidrv6: 'a network, as 2001:db8::/32',
  url: 'a URL',
};

function atLeast(origin: string, minimum: number): string {
  if (origin === 'string') return minimum === 1 ? 'text that is not empty' : `at least ${minimum} characters`;
  return minimum === 1 ? 'at least one entry' : `at least ${minimum} entries`;
}

function oneOf(values: readonly unknown[]): string {
  const listed = values.slice(0, LISTED_MAX).map(String).join(', ');
  return values.length === 1 ? listed : `one of ${listed}${values.length > LISTED_MAX ? ', …' : ''}`;
}

function unknownKey(key: string, known: readonly string[]): string {
  const meant = nearest(key, known);
  if (meant !== undefined) return `unknown key; did you mean ${meant}?`;
  return `unknown key; known here: ${known.slice(0, LISTED_MAX).join(', ')}`;
}

function mismatch(wanted: string, found: unknown): string {
  if (found === undefined) return `missing; expected ${wanted}`;
  return `expected ${wanted}; got ${shownText(found)}`;
}

/** A value in a message: short, and telling text from numbers. */
function shownText(found: unknown): string {
  if (Array.isArray(found)) return found.length === 0 ? 'an empty list' : 'a list';
  if (found === null) return 'nothing';
  if (typeof found === 'object') return 'a mapping';
  if (typeof found !== 'string') return String(found);
  const text = found.length > SHOWN_CHARACTERS_MAX ? `${found.slice(0, SHOWN_CHARACTERS_MAX)}…` : found;
  return JSON.stringify(text);
}

/** How to get from what is there to what is wanted, where that is plain. */
function repairHint(issue: Issue, found: unknown): string {
  if (issue.code === 'invalid_value' || issue.code === 'invalid_union') {
    const options = (issue.code === 'invalid_value' ? issue.values : optionsOf(issue)).map(String);
    const meant = typeof found === 'string' ? nearest(found, options) : undefined;
    return meant === undefined ? '' : `; did you mean ${meant}?`;
  }
  if (issue.code !== 'invalid_type' || found === undefined) return '';
  if (issue.expected === 'array' && typeof found !== 'object') return `; write [${String(found)}]`;
  if (issue.expected === 'array') return '; begin each entry with a dash';
  if (issue.expected === 'string' && typeof found === 'number' && issue.message === TYPE_NOUNS.string) {
    return '; put it in quotes';
  }
  return '';
}

function optionsOf(issue: Issue): readonly unknown[] {
  return (issue as { options?: readonly unknown[] }).options ?? [];
}

/**
 * The alternative that was meant: the one that shares a key with what is there and complains least.
 * `undefined` where none was, as for a number where text or a list may stand.
 */
function closestBranch(
  branches: readonly (readonly Issue[])[],
  found: unknown,
): readonly Issue[] | undefined {
  const cost = (issues: readonly Issue[]) =>
    issues.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? 2 * issue.keys.length : 1), 0);
  const meant = branches.filter((issues) =>
    issues.every((issue) => issue.path.length > 0 || issue.code === 'unrecognized_keys'),
  );
  if (typeof found === 'object' && found !== null && Object.keys(found).length === 0) return undefined;
  return meant.toSorted((a, b) => cost(a) - cost(b))[0];
}
