import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type Environment, parseConfig } from '../../../agent/config/load.ts';

const folder = mkdtempSync(join(tmpdir(), 'secrets-'));
afterAll(() => rmSync(folder, { recursive: true }));

const secretFile = join(folder, 'token');
writeFileSync(secretFile, 'from-file\n');

function load(sink: string, rest = '', env: Environment = {}) {
  const loaded = parseConfig(
    `inputs: [{type: file, format: syslog, paths: [/var/log/syslog]}]\nsinks:\n  - ${sink}\n${rest}`,
    env,
  );
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded;
}

/** Sink 0 as the configuration holds it, and as the effective configuration shows it. */
function sink(keys: string, env: Environment = {}) {
  const loaded = load(`{name: a, type: http, ${keys}}`, '', env);
  const shown = parse(loaded.effective()) as { sinks: Record<string, unknown>[] };
  return { held: loaded.config.sinks[0] as unknown as Record<string, unknown>, shown: shown.sinks[0]! };
}

describe('text that is put in', () => {
  test.each([
    ['a variable', '${A}', 'one'],
    ['between other text', 'x-${A}-y', 'x-one-y'],
    ['twice', '${A}${A}', 'oneone'],
    ['an empty variable', 'x${EMPTY}', 'x'],
    ['a file, without its last newline', `\${file:${secretFile}}`, 'from-file'],
    ['is not looked at again', '${TRICKY}', '${A}'],
    ['an escaped one is plain', '$${A}', '${A}'],
    ['an escaped one next to a real one', '$${A}${A}', '${A}one'],
    ['an escaped one around a real one', '$${${A}}', '${one}'],
    ['a dollar by itself is plain', 'a$b$$c{d}', 'a$b$$c{d}'],
  ])('%s', (_what, text, result) => {
    const env = { A: 'one', EMPTY: '', TRICKY: '${A}' };
    const loaded = load('{name: a, type: stdout}', `node: '${text}'`, env);
    expect(loaded.config.node).toBe(result);
  });

  test('text stays text: a node may be called 1234', () => {
    expect(load('{name: a, type: stdout}', 'node: ${N}', { N: '1234' }).config.node).toBe('1234');
  });

  test('files are named, so that a change of one can be noticed', () => {
    const { files } = load(`{name: a, type: http, url: "https://es/\${file:${secretFile}}"}`);
    expect(files).toEqual([secretFile]);
  });
});

describe('the effective configuration shows', () => {
  test('durations and sizes with units, and what a variable put into anything but a sink', () => {
    const rest = 'node: ${NODE_NAME}\naggregate: {window: 90s, grace: 1500ms}\nstate: {size_max: 0.5GiB}\n';
    const shown = parse(load('{name: a, type: stdout}', rest, { NODE_NAME: 'node-1' }).effective());
    expect(shown).toMatchObject({
      node: 'node-1',
      aggregate: { window: '90s', grace: '1500ms', keys_max: 3000 },
      state: { size_max: '512MiB' },
      shutdown_timeout: '10s',
    });
  });

  test.each([
    [
      'a file in a sink',
      `url: "https://es/\${file:${secretFile}}"`,
      'url',
      'https://es/from-file',
      'https://es/***',
    ],
    ['a variable in a sink', 'url: "https://${HOST}/x"', 'url', 'https://es.example/x', 'https://***/x'],
    ['a whole value', 'url: "${URL}"', 'url', 'https://u:p@es/', '***'],
    [
      'a password in a URL',
      'url: "https://me:hunter2@es/"',
      'url',
      'https://me:hunter2@es/',
      'https://me:***@es/',
    ],
  ])('not %s', (_what, keys, key, held, shown) => {
    const result = sink(keys, { HOST: 'es.example', URL: 'https://u:p@es/' });
    expect(result.held[key]).toBe(held);
    expect(result.shown[key]).toBe(shown);
  });

  test.each([
    ['Authorization', 'Bearer hunter2', '***'],
    ['X-API-Key', 'hunter2', '***'],
    ['dd-api-key', 'hunter2', '***'],
    ['Cookie', 'hunter2', '***'],
    ['X-Vault-Token', 'hunter2', '***'],
    ['X-Scope-OrgID', 'tenant', 'tenant'],
    ['X-Any', '-----BEGIN PRIVATE KEY-----', '***'],
  ])('header %s: %s as %s', (name, value, shown) => {
    const result = sink(`url: "https://es/", headers: {${name}: "${value}"}`);
    expect(result.held.headers).toEqual({ [name]: value });
    expect(result.shown.headers).toEqual({ [name]: shown });
  });

  test('no secret in the message of a problem', () => {
    const loaded = parseConfig(
      `inputs: []\nsinks: [{name: a, type: http, url: "\${PW}", headers: {Authorization: [hunter2]}}]`,
      { PW: 'hunter2' },
    );
    expect(loaded.ok).toBe(false);
    expect(JSON.stringify(loaded)).not.toContain('hunter2');
    expect(loaded).toMatchObject({
      problems: [
        { path: 'inputs' },
        { path: 'sinks[0].url', message: 'expected an http or https URL; got "***"' },
        { path: 'sinks[0].headers.Authorization' },
      ],
    });
  });
});
