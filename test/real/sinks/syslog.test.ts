import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { RecordBatch } from '../../../agent/delivery/batch.ts';
import { createSink } from '../../../sinks/index.ts';
import type { Outcome } from '../../../sinks/sink.ts';
import { conforms } from '../../sinks/conformance.ts';
import { configure } from '../../sinks/destinations/common.ts';
import { flowBlock } from '../../sinks/records.ts';
import { RsyslogReceiver } from '../servers/rsyslog-receiver.ts';
import { syslogTcp, syslogTls } from './syslog.ts';

conforms(syslogTcp);
conforms(syslogTls);

describe('a real rsyslog', () => {
  let server: RsyslogReceiver;
  beforeAll(async () => {
    server = await RsyslogReceiver.start();
    return () => server.close();
  });

  async function send(options: Record<string, unknown>, first: number, count = 1): Promise<Outcome> {
    const context = { warn() {}, stop() {} };
    const config = configure({ type: 'syslog', host: '127.0.0.1', port: server.tcpPort, ...options });
    const sink = await createSink(config, context);
    onTestFinished(() => sink.close());
    await sink.open?.();
    const batch = new RecordBatch([Buffer.from(flowBlock(first, count).bytes)], count);
    return sink.send(batch, AbortSignal.timeout(10_000));
  }

  test.each(['tcp', 'udp'])('it understands what comes over %s', async (transport) => {
    const before = server.messages().length;
    expect(await send({ transport }, 1, 2)).toEqual({ kind: 'delivered', refused: [] });
    while (server.messages().length < before + 2) await pause(10);
    const [message] = server.messages().slice(before);
    expect(message).toMatchObject({
      pri: '132',
      time: '2026-09-21T14:13:20.001Z',
      host: 'node-1',
      app: 'policy-log-agent',
      msgid: 'flow',
      data: expect.stringContaining('src.namespace="shop ü" src.pod_name="web-1"'),
    });
    expect(JSON.parse(message!.text)).toMatchObject({ id: 'r1', disposition: 'deny' });
  });

  // The driver ossl reads messages before it looks at the name; some it even writes.
  test.each([
    ['ossl', undefined],
    ['ossl', 'stranger'],
    ['gtls', 'stranger'],
    ['gtls', undefined],
  ] as const)(
    '%s: the certificate of %s is refused, and what counts as delivered is there',
    async (driver, name) => {
      await server.kill();
      await server.restart(driver);
      onTestFinished(() => server.stopAndRestart());
      const { ca, cert, key } = server.certificates;
      const own = name !== undefined && { cert_file: cert(name), key_file: key(name) };
      const delivered: number[] = [];
      for (let n = 1000; n < 1100; n++) {
        const options = { transport: 'tls', port: server.tlsPort, tls: { ca_file: ca, ...own } };
        if ((await send(options, n)).kind === 'delivered') delivered.push(n);
      }
      const there = new Set(server.ids());
      expect(delivered.filter((n) => !there.has(`r${n}`))).toEqual([]);
    },
  );
});
