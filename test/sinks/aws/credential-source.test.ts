import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type { AwsAuthOptions } from '../../../agent/config/sinks/aws.ts';
import { credentialSource } from '../../../sinks/aws/credential-source.ts';
import { HttpFixture, type Reaction, type ReceivedRequest } from '../http-fixture.ts';

const warn = vi.fn();
const region = 'eu-central-1';
const EXPIRATION = `${new Date(Date.now() + 3_600_000).toISOString().slice(0, 19)}Z`;
const FOUND = {
  accessKeyId: 'ASIA',
  secretAccessKey: 'secret',
  sessionToken: 'token',
  expiration: new Date(EXPIRATION),
};

beforeEach(() => {
  warn.mockClear();
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) vi.stubEnv(name, undefined);
});
afterEach(() => void vi.unstubAllEnvs());

async function startServer(react: (request: ReceivedRequest) => Reaction): Promise<HttpFixture> {
  const server = new HttpFixture();
  await server.start();
  onTestFinished(() => server.kill());
  server.react = react;
  return server;
}

async function find(auth: Partial<AwsAuthOptions> = {}) {
  return (await credentialSource({ region, ...auth }, warn))();
}

function json(value: unknown): Reaction {
  return { kind: 'answer', status: 200, body: JSON.stringify(value) };
}

/** What the instance's and the container's endpoint answer with. */
const KEYS = { AccessKeyId: 'ASIA', SecretAccessKey: 'secret', Token: 'token', Expiration: EXPIRATION };

test('keys of the configuration come before those of the environment', async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'of the environment');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 's');
  vi.stubEnv('AWS_SESSION_TOKEN', 't');
  const own = { access_key_id: 'own', secret_access_key: 'secret' };
  expect(await find(own)).toEqual({ accessKeyId: 'own', secretAccessKey: 'secret' });
  expect(await find()).toEqual({
    accessKeyId: 'of the environment',
    secretAccessKey: 's',
    sessionToken: 't',
  });
});

test('a web identity: the token file is read each time and given to STS', async () => {
  const sts = await startServer(() => ({ kind: 'answer', status: 200, body: assumed('WithWebIdentity') }));
  const folder = mkdtempSync(join(tmpdir(), 'token-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'token');
  vi.stubEnv('AWS_ENDPOINT_URL_STS', sts.origin);
  vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', file);
  vi.stubEnv('AWS_ROLE_ARN', 'arn:aws:iam::1:role/flows');
  const source = await credentialSource({ region }, warn);
  const tokens = ['first', 'second'];
  for (const token of tokens) {
    writeFileSync(file, token);
    expect(await source()).toMatchObject(FOUND);
  }
  const forms = sts.accepted.map(({ body }) => Object.fromEntries(new URLSearchParams(body)));
  expect(forms.map(({ WebIdentityToken }) => WebIdentityToken)).toEqual(tokens);
  expect(forms[0]).toMatchObject({
    Action: 'AssumeRoleWithWebIdentity',
    RoleArn: 'arn:aws:iam::1:role/flows',
    RoleSessionName: expect.stringMatching(/^policy-log-agent-/),
  });
});

test.each([
  ['AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE', 'EKS Pod Identity'],
  ['AWS_CONTAINER_AUTHORIZATION_TOKEN', 'ECS'],
])("a container's endpoint, with %s (%s)", async (variable) => {
  const endpoint = await startServer(() => json(KEYS));
  const folder = mkdtempSync(join(tmpdir(), 'token-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'token');
  writeFileSync(file, 'pod-token');
  vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', `${endpoint.origin}/v1/credentials`);
  vi.stubEnv(variable, variable.endsWith('_FILE') ? file : 'pod-token');
  const source = await credentialSource({ region }, warn);
  expect(await source()).toMatchObject(FOUND);
  expect(endpoint.accepted).toMatchObject([
    { method: 'GET', path: '/v1/credentials', headers: { authorization: 'pod-token' } },
  ]);
});

const ROLE = '/latest/meta-data/iam/security-credentials/';

/** An instance that answers only those who have a token of it. */
function instance({ method, path, headers }: ReceivedRequest): Reaction {
  if (method === 'PUT' && path === '/latest/api/token') {
    const hasLifetime = Number(headers['x-aws-ec2-metadata-token-ttl-seconds']) > 0;
    return { kind: 'answer', status: hasLifetime ? 200 : 400, body: 'imds-token' };
  }
  if (headers['x-aws-ec2-metadata-token'] !== 'imds-token') return { kind: 'answer', status: 401 };
  if (path === ROLE) return { kind: 'answer', status: 200, body: 'node-role' };
  return path === `${ROLE}node-role` ? json({ Code: 'Success', ...KEYS }) : { kind: 'answer', status: 404 };
}

test("the instance's role, by a token (IMDSv2)", async () => {
  const imds = await startServer(instance);
  vi.stubEnv('AWS_EC2_METADATA_SERVICE_ENDPOINT', imds.origin);
  expect(await find()).toMatchObject({
    accessKeyId: 'ASIA',
    secretAccessKey: 'secret',
    sessionToken: 'token',
  });
  expect(warn).not.toHaveBeenCalled();
  expect(imds.accepted.map(({ method, path }) => `${method} ${path}`)).toEqual([
    'PUT /latest/api/token',
    `GET ${ROLE}`,
    `GET ${ROLE}node-role`,
  ]);
});

test("while the instance's service is down, its last credentials serve on, and the log says so", async () => {
  const expiration = new Date(Date.now() - 1000).toISOString();
  const imds = await startServer((request) =>
    request.path === `${ROLE}node-role`
      ? json({ ...KEYS, Code: 'Success', Expiration: expiration })
      : instance(request),
  );
  vi.stubEnv('AWS_EC2_METADATA_SERVICE_ENDPOINT', imds.origin);
  const { expiration: extended } = await find();
  expect(extended!.getTime()).toBeGreaterThan(Date.now());
  expect(warn).toHaveBeenCalledWith(expect.stringMatching(/credential expiration extension/));
});

test.each<[string, Reaction]>([
  ['is refused', { kind: 'answer', status: 403 }],
  ['does not come back, as with a hop limit of 1', { kind: 'stall' }],
])('an instance whose token %s is not asked without one', async (_name, reaction) => {
  const imds = await startServer((request) => (request.method === 'PUT' ? reaction : instance(request)));
  vi.stubEnv('AWS_EC2_METADATA_SERVICE_ENDPOINT', imds.origin);
  await expect(find()).rejects.toThrow(/none from the instance, .* hop limit of 2/);
  expect(imds.all.map(({ method }) => method)).toEqual(['PUT']);
});

test('a role is assumed with what was found', async () => {
  const sts = await startServer(() => ({ kind: 'answer', status: 200, body: assumed('') }));
  vi.stubEnv('AWS_ENDPOINT_URL_STS', sts.origin);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKID');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 's');
  const assume_role = { arn: 'arn:aws:iam::2:role/other', external_id: 'x1', session_name: 'node-1' };
  expect(await find({ assume_role })).toMatchObject(FOUND);
  const [{ body, headers } = never()] = sts.accepted;
  expect(Object.fromEntries(new URLSearchParams(body))).toMatchObject({
    Action: 'AssumeRole',
    RoleArn: assume_role.arn,
    ExternalId: 'x1',
    RoleSessionName: 'node-1',
  });
  expect(headers.authorization).toMatch(/Credential=AKID\/\d{8}\/eu-central-1\/sts\//);
});

function never(): never {
  throw new Error('nothing was accepted');
}

function assumed(kind: string): string {
  const { accessKeyId, secretAccessKey, sessionToken } = FOUND;
  return `<AssumeRole${kind}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRole${kind}Result>
    <Credentials><AccessKeyId>${accessKeyId}</AccessKeyId><SecretAccessKey>${secretAccessKey}</SecretAccessKey>
    <SessionToken>${sessionToken}</SessionToken><Expiration>${EXPIRATION}</Expiration></Credentials>
    </AssumeRole${kind}Result></AssumeRole${kind}Response>`;
}
