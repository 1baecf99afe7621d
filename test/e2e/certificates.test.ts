import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { AgentProcess } from '../helpers/agent-process.ts';
import { Awaited } from '../helpers/awaited.ts';
import { type Certificates, makeCertificates } from '../helpers/certificates.ts';
import { PolicyActionLines } from '../helpers/generate-lines.ts';

describe('certificates that are renewed', () => {
  const dir = mkdtempSync(join(tmpdir(), 'policy-log-agent-certificates-'));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  /** An authority of its own, with a certificate for the server and one for the agent. */
  function generation(name: string): Certificates {
    mkdirSync(join(dir, name));
    return makeCertificates(join(dir, name), ['server', 'agent']);
  }

  it('are used from the next request on, without a restart', async () => {
    const [old, renewed] = [generation('old'), generation('renewed')];
    const mounted = {
      ca_file: join(dir, 'ca.crt'),
      cert_file: join(dir, 'tls.crt'),
      key_file: join(dir, 'tls.key'),
    };
    const mount = ({ ca, cert, key }: Certificates) => {
      copyFileSync(ca, mounted.ca_file);
      copyFileSync(cert('agent'), mounted.cert_file);
      copyFileSync(key('agent'), mounted.key_file);
    };
    const secureContext = ({ ca, cert, key }: Certificates) => ({
      ca: readFileSync(ca),
      cert: readFileSync(cert('server')),
      key: readFileSync(key('server')),
    });
    const received = new Awaited<string>();
    const options = { ...secureContext(old), requestCert: true, rejectUnauthorized: true };
    const server = createServer(options, (request, response) => {
      request.on('data', (bytes: Buffer) => received.push(bytes.toString()));
      request.on('end', () => response.writeHead(204).end());
    });
    const failed = new Awaited<string>();
    server.on('tlsClientError', (error) => failed.push(error.message));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const log = join(dir, 'policy_action.log');
    const lines = new PolicyActionLines({ startUs: Date.now() * 1000, linesPerSecond: 100, seed: 1 });
    writeFileSync(log, lines.next());
    mount(old);
    const agent = new AgentProcess(dir, {
      node: 'node-1',
      inputs: [{ type: 'file', format: 'policy_action', paths: [log], start: 'beginning' }],
      aggregate: { window: '100ms', grace: '0ms' },
      state: { path: join(dir, 'state') },
      sinks: [
        {
          name: 'server',
          type: 'http',
          url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/`,
          tls: mounted,
          retry: { backoff_min: '50ms', backoff_max: '100ms' },
        },
      ],
      http: { listen: '127.0.0.1:0' },
    });
    await received.until('the first record', (items) => items.length > 0);
    const before = received.items.length;

    server.setSecureContext(secureContext(renewed));
    server.closeAllConnections();
    appendFileSync(log, lines.next());
    await failed.until('the old certificates are refused', (items) => items.length > 0);
    mount(renewed);
    await received.until('the next record', (items) => items.length > before);
    expect(agent.log.items.filter(({ msg }) => msg.includes('is in force')).length).toBeGreaterThan(0);
    expect((await agent.stop()).code).toBe(0);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
});
