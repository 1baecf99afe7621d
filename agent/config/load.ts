import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { stringify } from 'yaml';
import * as z from 'zod/mini';
import { type Checkable, checkTogether } from './check.ts';
import { expand, readFailure } from './expand.ts';
import { checkAgainst } from './explain.ts';
import { hideSecrets } from './hide.ts';
import type { FileInput } from './inputs.ts';
import { inputSchema } from './inputs.ts';
import { digestOf, namedFiles } from './named-files.ts';
import { type Path, pathText } from './path.ts';
import { type Problem, placeFindings } from './problem.ts';
import { readYaml } from './read-yaml.ts';
import { type Config, configSchema, dispositionRule, selectSchema, sinkSchema } from './schema.ts';

/** Largest configuration file; a ConfigMap holds no more either. */
const CONFIG_BYTES_MAX = 1024 * 1024;

/** The configuration as the agent uses it: every default filled in, and every input has its name. */
export type LoadedConfig = Omit<Config, 'inputs'> & { inputs: (FileInput & { name: string })[] };

export interface Loaded {
  readonly ok: true;
  readonly config: LoadedConfig;
  /** All of it as YAML, with defaults and units, secrets hidden; without secrets it is valid input again. */
  effective(): string;
  /** Of the file's text, before variables: nodes with one ConfigMap have one hash. */
  readonly hash: string;
  /** Changes with every change of content, also of a secret. Kept in memory only. */
  readonly fingerprint: string;
  /** Every file that went into it: the configuration file first, then those of `${file:…}`, then those that sinks name. */
  readonly files: readonly string[];
}

export interface NotLoaded {
  readonly ok: false;
  readonly problems: readonly Problem[];
  /** The file could not be read at all. */
  readonly unreadable: boolean;
  readonly hash: string;
  readonly fingerprint: string;
  readonly files: readonly string[];
}

/** Variables for `${NAME}`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads, expands and checks a configuration file. Finds every problem there is, and throws for none.
 * @param env variables for `${NAME}`
 */
export function loadConfig(path: string, env: Environment): Loaded | NotLoaded {
  let text: string;
  try {
    const stat = statSync(path);
    if (!stat.isFile() && !stat.isFIFO()) return unreadable(path, 'it is not a file');
    // A pipe's size is known only when it has been read.
    const bytes = stat.size > CONFIG_BYTES_MAX ? undefined : readFileSync(path);
    if (bytes === undefined || bytes.length > CONFIG_BYTES_MAX) {
      return unreadable(path, `it is larger than ${CONFIG_BYTES_MAX} bytes`);
    }
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    return unreadable(path, readFailure(error));
  }
  const loaded = parseConfig(text, env);
  return { ...loaded, files: [path, ...loaded.files] };
}

/** `loadConfig` for text that is there already. */
export function parseConfig(text: string, env: Environment): Loaded | NotLoaded {
  const hash = sha256(text).slice(0, 16);
  const tree = readYaml(text);
  if (tree.value === undefined) {
    const problems = placeFindings(tree.findings, tree.place);
    return { ok: false, problems, unreadable: false, hash, fingerprint: hash, files: [] };
  }
  const { value, findings, shown, files } = expand(tree.value, env);
  const fingerprint = sha256(JSON.stringify([text, value, findings]));
  const show = (path: Path, found: unknown) => hideSecrets(found, path, shown);
  const checked = checkAgainst(configSchema, value, [], show);
  const whole = checked.ok ? checked.value : validParts(value);
  const failedBefore = new Set([...tree.findings, ...findings].map(({ path }) => pathText(path)));
  const problems = [
    ...tree.findings,
    ...findings,
    // What could not be expanded is also not what the schema wants; once is enough.
    ...(checked.ok ? [] : checked.findings.filter(({ path }) => !failedBefore.has(pathText(path)))),
    ...checkTogether(whole),
  ];
  if (problems.length > 0 || !checked.ok) {
    const placed = placeFindings(problems, tree.place);
    return { ok: false, problems: placed, unreadable: false, hash, fingerprint, files };
  }

  const config = { ...checked.value, inputs: nameInputs(checked.value.inputs) };
  const named = namedFiles(config.sinks);
  return {
    ok: true,
    config,
    effective: () => effectiveYaml(config, shown),
    hash,
    fingerprint: sha256(fingerprint + digestOf(named)),
    files: [...files, ...named],
  };
}

/** The parts that are valid by themselves, so that those can be checked together whatever else is wrong. */
function validParts(value: unknown): Checkable {
  const given = mapping(value);
  const select = mapping(given.select);
  const { allow, deny } = selectSchema.shape;
  const one = <T extends z.ZodMiniType>(schema: T, part: unknown): z.output<T> | undefined =>
    z.safeParse(schema, part).data;
  const list = <T extends z.ZodMiniType>(schema: T, entries: unknown): (z.output<T> | undefined)[] =>
    Array.isArray(entries) ? entries.map((entry) => one(schema, entry)) : [];
  return {
    inputs: list(inputSchema, given.inputs),
    select: {
      allow: one(allow, select.allow),
      deny: one(deny, select.deny),
      dispositions: list(dispositionRule, select.dispositions),
    },
    state: one(configSchema.shape.state, given.state),
    sinks: list(sinkSchema, given.sinks),
  };
}

function mapping(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** Fills in names: the format, and from the second of a format on with a number, past names that are taken. */
function nameInputs(inputs: readonly FileInput[]): LoadedConfig['inputs'] {
  const taken = new Set(inputs.map(({ name }) => name));
  return inputs.map((input) => {
    if (input.name !== undefined) return { ...input, name: input.name };
    let name: string = input.format;
    for (let n = 2; taken.has(name); n++) name = `${input.format}-${n}`;
    taken.add(name);
    return { ...input, name };
  });
}

function effectiveYaml(config: LoadedConfig, shown: ReadonlyMap<string, string>): string {
  const visible = escapeExpansions(hideSecrets(z.encode(configSchema, config), [], shown));
  return stringify(visible, { lineWidth: 0, aliasDuplicateObjects: false });
}

function escapeExpansions(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('${', () => '$${');
  if (Array.isArray(value)) return value.map(escapeExpansions);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, escapeExpansions(item)]));
}

function unreadable(path: string, reason: string): NotLoaded {
  const problem = { path: '', line: 1, column: 1, message: `cannot read the configuration: ${reason}` };
  return { ok: false, problems: [problem], unreadable: true, hash: '', fingerprint: '', files: [path] };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
