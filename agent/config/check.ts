import { matchesGlob, normalize } from 'node:path';
import { LocalZone } from '../../parsers/zone.ts';
import { fieldsOfTemplate } from '../stages/template.ts';
import type { FileInput } from './inputs.ts';
import type { Path } from './path.ts';
import type { Finding } from './problem.ts';
import type { SelectConfig, SinkConfig, StateConfig } from './schema.ts';
import { isText } from './sinks/encoding.ts';
import type { FileSinkOptions } from './sinks/file.ts';

/** A configuration of which parts may be missing, because they were not valid by themselves. */
export interface Checkable {
  readonly inputs: readonly (FileInput | undefined)[];
  readonly select: {
    readonly allow?: SelectConfig['allow'] | undefined;
    readonly deny?: SelectConfig['deny'] | undefined;
    readonly dispositions: readonly (SelectConfig['dispositions'][number] | undefined)[];
  };
  readonly state?: StateConfig | undefined;
  readonly sinks: readonly (SinkConfig | undefined)[];
}

/** What no key is wrong about alone: values that do not go together. */
export function checkTogether(config: Checkable): Finding[] {
  return [
    ...duplicates(config.inputs, 'inputs', 'name', (input) => input.name),
    ...duplicates(config.sinks, 'sinks', 'name', (sink) => sink.name),
    ...duplicates(config.sinks, 'sinks', 'path', (sink) => (sink.type === 'file' ? sink.path : undefined)),
    ...duplicates(config.sinks, 'sinks', 'key_prefix', placeInStore),
    ...manyOnStdout(config.sinks),
    ...delegates(config.select),
    ...dispositionRules(config.select),
    ...timezones(config.inputs),
    ...feedback(config.inputs, config.sinks),
    ...encodings(config.sinks),
    ...config.sinks.flatMap((sink, i) => (sink === undefined ? [] : sinkSizes(sink, ['sinks', i], config))),
  ];
}

function duplicates<T>(
  entries: readonly (T | undefined)[],
  list: string,
  key: string,
  textOf: (entry: T) => string | undefined,
): Finding[] {
  const first = new Map<string, number>();
  return entries.flatMap((entry, i) => {
    const value = entry === undefined ? undefined : textOf(entry);
    if (value === undefined) return [];
    const other = first.get(value);
    if (other === undefined) {
      first.set(value, i);
      return [];
    }
    return [{ path: [list, i, key], message: `${value} is taken by ${list}[${other}]; use another ${key}` }];
  });
}

/** Where an s3 sink puts its objects. Keys name the first and the last record: two sinks could write over each other. */
function placeInStore(sink: SinkConfig): string | undefined {
  if (sink.type !== 's3') return undefined;
  const { endpoint = 's3:/', bucket, key_prefix: prefix, cluster } = sink;
  return `${endpoint}/${bucket}/${prefix}${cluster === undefined ? '' : `cluster=${cluster}/`}`;
}

function manyOnStdout(sinks: Checkable['sinks']): Finding[] {
  const indexes = sinks.flatMap((sink, i) => (sink?.type === 'stdout' ? [i] : []));
  return indexes.slice(1).map((i) => ({
    path: ['sinks', i, 'type'],
    message: `sinks[${indexes[0]}] writes to standard output already; one sink may`,
  }));
}

/** GKE's NetworkLogging refuses the same combination, with the same reason. */
function delegates(select: Checkable['select']): Finding[] {
  return (['allow', 'deny'] as const)
    .filter((verdict) => select[verdict]?.delegate && !select[verdict].log)
    .map((verdict) => ({
      path: ['select', verdict, 'delegate'],
      message: `the ${verdict} log action is invalid: delegate cannot be true when log is false`,
    }));
}

function dispositionRules(select: Checkable['select']): Finding[] {
  return select.dispositions.flatMap((rule, i) =>
    rule !== undefined && rule.prefix === undefined && rule.policy === undefined
      ? [{ path: ['select', 'dispositions', i], message: 'a rule needs a prefix or a policy' }]
      : [],
  );
}

function timezones(inputs: Checkable['inputs']): Finding[] {
  return inputs.flatMap((input, i) => {
    if (input?.format !== 'syslog' || input.timezone === undefined) return [];
    try {
      new LocalZone(input.timezone);
      return [];
    } catch {
      const message = `expected an IANA time zone, as Europe/Berlin or UTC; got ${JSON.stringify(input.timezone)}`;
      return [{ path: ['inputs', i, 'timezone'], message }];
    }
  });
}

/** A file that the agent writes and reads grows for ever. */
function feedback(inputs: Checkable['inputs'], sinks: Checkable['sinks']): Finding[] {
  return sinks.flatMap((sink, i) => {
    if (sink?.type !== 'file') return [];
    const written = [sink.path, `${sink.path}.1`];
    const reader = inputs.findIndex((input) =>
      input?.paths.some((glob) => written.some((file) => file === glob || matches(file, glob))),
    );
    if (reader === -1) return [];
    return [
      {
        path: ['sinks', i, 'path'],
        message: `inputs[${reader}] reads this file; write where no input reads`,
      },
    ];
  });
}

/** What stands before the first character that may mean something in a glob. */
const LITERAL = /^[^*?[\]{}()!+@#\\]*/;

/** Node's matcher takes as long to load as the rest of the checks together; mostly the beginnings say enough. */
function matches(file: string, glob: string): boolean {
  return normalize(file).startsWith(LITERAL.exec(normalize(glob))![0]) && matchesGlob(file, glob);
}

/** What a sink does to records, and what cannot be done to them. */
function encodings(sinks: Checkable['sinks']): Finding[] {
  return sinks.flatMap((sink, i) => {
    if (sink === undefined) return [];
    const isLines = 'encoding' in sink && isText(sink.encoding);
    const findings: Finding[] = [];
    if (isLines && sink.shape !== undefined) {
      const message = 'text has no fields to drop or rename; leave shape out, or use a JSON codec';
      findings.push({ path: ['sinks', i, 'shape'], message });
    }
    if (isLines && sink.type === 'http' && sink.framing === 'json_array') {
      const message = 'text cannot stand in a JSON array; use newline_delimited, or a JSON codec';
      findings.push({ path: ['sinks', i, 'framing'], message });
    }
    return [...findings, ...(sink.type === 'file' ? fileWithoutIds(sink, ['sinks', i]) : [])];
  });
}

/** A file sink knows by the ids in its file what a crash made it write already. */
function fileWithoutIds({ encoding, shape }: FileSinkOptions, path: Path): Finding[] {
  const { codec, template } = encoding;
  if (template !== undefined && !fieldsOfTemplate(template).includes('id')) {
    const message = 'a file sink needs the id in every line; put {{ id }} into the template';
    return [{ path: [...path, 'encoding', 'template'], message }];
  }
  const id = codec === 'ecs' ? 'event.id' : 'id';
  const holds = (changed: string) => changed === id || id.startsWith(`${changed}.`);
  const { drop = [], rename = {} } = shape ?? {};
  if (![...drop, ...Object.keys(rename), ...Object.values(rename)].some(holds)) return [];
  return [{ path: [...path, 'shape'], message: `a file sink needs the id where it is; leave ${id} alone` }];
}

function sinkSizes(sink: SinkConfig, path: Path, config: Checkable): Finding[] {
  const findings: Finding[] = [];
  if (config.state !== undefined && sink.batch.bytes_max > config.state.size_max) {
    findings.push({
      path: [...path, 'batch', 'bytes_max'],
      message: 'a request cannot hold more than state.size_max; make one larger or the other smaller',
    });
  }
  if ('retry' in sink && sink.retry.backoff_min > sink.retry.backoff_max) {
    findings.push({
      path: [...path, 'retry', 'backoff_min'],
      message: 'longer than backoff_max; the first pause must be the shortest',
    });
  }
  return findings;
}
