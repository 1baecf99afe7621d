import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { HIDDEN } from '../../../agent/config/expand.ts';
import { isSecretKey } from '../../../agent/config/hide.ts';
import { expandedConfigSchema } from '../../../agent/config/json-schema.ts';
import { type Loaded, type NotLoaded, parseConfig } from '../../../agent/config/load.ts';
import { arbitraryOf } from '../../helpers/schema-arbitrary.ts';
import { BROKEN } from './broken.ts';

const path = fc.stringMatching(/^(\/[a-z0-9.*-]{1,8}){1,3}$/);
const network = fc.constantFrom('10.0.0.0/8', '192.168.1.1/32', '2001:db8::/32');
const sinkNames = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,8}$/);

const filter = fc.letrec((tie) => {
  const inner = fc.array(tie('filter'), { minLength: 1, maxLength: 2 });
  return {
    filter: fc.oneof(
      { maxDepth: 2 },
      fc.record({
        field: fc.constantFrom('dest.namespace', 'disposition'),
        equals: fc.constantFrom('a', 1, true, '${X}'),
      }),
      fc.record({ field: fc.constant('prefix'), one_of: fc.constant(['a', 2]) }),
      fc.record({ field: fc.constant('src.pod_name'), matches: fc.constantFrom('^a.*b$', 'x{2}', '[$]{1}') }),
      fc.record({ field: fc.constant('connection.src_ip'), cidr: fc.constantFrom('10.0.0.0/8', ['::/0']) }),
      fc.record({ field: fc.constant('connection.dest_port'), port_range: fc.constantFrom('80', '1-65535') }),
      fc.record({ field: fc.constant('packet.mark'), exists: fc.boolean() }),
      fc.record({ and: inner }),
      fc.record({ or: inner }),
      fc.record({ not: tie('filter') }),
    ),
  };
}).filter;
const filters = fc.array(filter, { maxLength: 2 });
const pattern = fc.constantFrom('calico-packet', 'deny-*', '/^x{2}|y/');

const configs = arbitraryOf(
  expandedConfigSchema(),
  {
    paths: fc.array(path, { minLength: 1, maxLength: 3 }),
    path,
    timezone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/St_Johns'),
    url: fc.constantFrom('https://es:9200', 'http://127.0.0.1:8080/a?b=c', 'https://h/${X}'),
    include: filters,
    exclude: filters,
    prefixes: fc.array(pattern, { maxLength: 2 }),
    prefix: pattern,
    policy: fc.constantFrom('default/deny-all', 'deny-all'),
    window: fc.constantFrom('1ms', '1.5s', '10m'),
    tls: fc.constantFrom({}, { ca_file: '/ca.pem' }, { cert_file: '/cert.pem', key_file: '/key.pem' }),
    endpoint: fc.constantFrom('https://s3.internal:9000'),
    metadata_url: fc.constantFrom('http://metadata.google.internal', 'http://169.254.169.254'),
    encoding: fc.constantFrom({}, { codec: 'ecs' }, { codec: 'calico_flow' }),
    cidrs: fc.array(network, { minLength: 1, maxLength: 2 }),
    listen: fc.constantFrom('0.0.0.0:9660', '[::1]:0'),
    name: sinkNames,
    // A secret comes back as what hides it.
    token: fc.constant(HIDDEN),
    retry: fc.constantFrom({}, { backoff_min: '2s' }, { backoff_min: '250ms', backoff_max: '1.5m' }),
  },
  // These need a secret, and secrets do not come back.
  (key) => ['auth', 'sasl'].includes(key) || isSecretKey(key),
);

/** As a person would write it: `${` only where a variable is meant. */
function written(config: unknown): string {
  return stringify(config, { aliasDuplicateObjects: false }).replaceAll('${', () => '$${');
}

function loaded(result: Loaded | NotLoaded): Loaded {
  if (!result.ok) throw new Error(JSON.stringify(result.problems, null, 1));
  return result;
}

test('a valid configuration comes back from its effective YAML the same', () => {
  let accepted = 0;
  fc.assert(
    fc.property(configs, (config) => {
      const first = parseConfig(written(config), {});
      // What does not go together is refused; the next one.
      fc.pre(first.ok);
      accepted++;
      const effective = loaded(first).effective();
      const second = loaded(parseConfig(effective, {}));
      expect(second.config).toEqual(loaded(first).config);
      expect(second.effective()).toBe(effective);
    }),
    { numRuns: 200, maxSkipsPerRun: 5 },
  );
  expect(accepted).toBe(200);
});

test('what a valid configuration is refused for is only that its parts do not go together', () => {
  const together = [
    /leave \S+ alone/,
    /is taken by/,
    /delegate cannot/,
    /needs a prefix or a policy/,
    /reads this file/,
    /standard output already/,
    /cannot hold more/,
    /backoff_max/,
    /at least one label/,
    /no dates in/,
    /either api_key or auth/,
    /either user and password/,
    /access_key_id and/,
    /belongs to (?:server_side|create_missing)|a new group has no stream/,
  ];
  fc.assert(
    fc.property(configs, (config) => {
      const result = parseConfig(written(config), {});
      const others = result.ok
        ? []
        : result.problems.filter(({ message }) => !together.some((words) => words.test(message)));
      expect(others).toEqual([]);
    }),
    { numRuns: 200 },
  );
});

test('a mutated file is loaded or refused with problems that have a place, never more', () => {
  const texts = fc.oneof(configs.map(written), fc.constantFrom(...BROKEN.map(({ yaml }) => yaml)));
  const pieces = fc.constantFrom(
    ...[
      '\t',
      '\n',
      ' ',
      ':',
      '- ',
      '{',
      '}',
      '[',
      ']',
      '&a ',
      '*a',
      '<<: ',
      '"',
      "'",
      '|\n',
      '>',
      '!',
      '%',
      '---\n',
      '...\n',
    ],
    ...[
      '${',
      '}',
      '#',
      'null',
      '~',
      '1e999',
      '0x',
      '.nan',
      '\u0000',
      '\ud800',
      '\ufeff',
      '__proto__: ',
      '? ',
    ],
  );
  const edit = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), cut: fc.nat(20), piece: pieces });
  fc.assert(
    fc.property(texts, fc.array(edit, { minLength: 1, maxLength: 6 }), (text, edits) => {
      let mutated = text;
      for (const { at, cut, piece } of edits) {
        const from = Math.floor(at * mutated.length);
        mutated = mutated.slice(0, from) + piece + mutated.slice(from + cut);
      }
      const result = parseConfig(mutated, {});
      if (result.ok) {
        result.effective();
        return;
      }
      expect(result.problems.length).toBeGreaterThan(0);
      const lines = mutated.split(/\r?\n|\r/).length;
      for (const { line, column, message } of result.problems) {
        expect(line).toBeGreaterThanOrEqual(1);
        expect(line).toBeLessThanOrEqual(lines + 1);
        expect(column).toBeGreaterThanOrEqual(1);
        expect(message).not.toMatch(/\n|undefined|Invalid input|something else/);
      }
    }),
    { numRuns: 1000 },
  );
});
