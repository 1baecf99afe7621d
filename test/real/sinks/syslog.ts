import type { Conformance, Destination } from '../../sinks/conformance.ts';
import { configure } from '../../sinks/destinations/common.ts';
import { TcpProxy, type Treatment } from '../../sinks/tcp-proxy.ts';
import { RsyslogReceiver } from '../servers/rsyslog-receiver.ts';
import { outage } from './way.ts';

const NO_ANSWERS = { never: 'the protocol has no answers' };

export const syslogTcp = syslog('tcp');
export const syslogTls = syslog('tls');

function syslog(
  transport: 'tcp' | 'tls',
): Conformance<Destination & { server: RsyslogReceiver; proxy: TcpProxy }> {
  const isTls = transport === 'tls';
  return {
    name: `syslog, ${transport.toUpperCase()}`,
    destination: 'rsyslog 8.2302',
    guarantee: 'at least once',
    async create() {
      const server = await RsyslogReceiver.start();
      const { ca, cert, key } = server.certificates;
      const proxy = new TcpProxy(isTls ? server.tlsPort : server.tcpPort);
      await proxy.start();
      return {
        server,
        proxy,
        config: configure({
          type: 'syslog',
          host: '127.0.0.1',
          port: proxy.port,
          transport,
          ...(isTls && { tls: { ca_file: ca, cert_file: cert('client'), key_file: key('client') } }),
          request_timeout: '2s',
          retry: { backoff_min: '10ms', backoff_max: '100ms' },
          batch: { records_max: 100, age_max: '0ms' },
        }),
        received: () => server.ids(),
        close: async () => {
          await proxy.close();
          await server.close();
        },
      };
    },
    faults: {
      accepts: () => {},
      'refuses one record': NO_ANSWERS,
      'is too small for a batch': NO_ANSWERS,
      throttles: NO_ANSWERS,
      'refuses credentials': isTls
        ? async ({ server }) => {
            await server.kill();
            // The other driver takes messages before it looks at the name, and writes them.
            await server.restart('gtls', 'nobody');
            return { end: () => server.stopAndRestart() };
          }
        : { never: 'it takes none' },
      stalls: ({ proxy }) => {
        proxy.treat = first(2, { kind: 'stall' });
      },
      'resets mid-body': ({ proxy }) => {
        proxy.treat = first(2, { kind: 'reset_after', bytes: 10_000 });
      },
      'answers garbage': ({ proxy }) => {
        proxy.treat = first(2, { kind: 'garbage' });
      },
      'outage, 50,000 records waiting': ({ server }) => outage(server),
      'killed in mid-stream': ({ server, proxy }) => {
        const back = Promise.withResolvers<void>();
        proxy.treat = () => {
          if (proxy.connections === 3) void server.stopAndRestart();
          if (proxy.connections === 8) back.resolve(server.stopAndRestart('SIGTERM'));
          return { kind: 'forward' };
        };
        return { end: () => back.promise };
      },
      'agent killed in mid-stream': () => {},
    },
  };
}

/** Treats the first connections so, and forwards the others. */
function first(count: number, treatment: Treatment): () => Treatment {
  let seen = 0;
  return () => (++seen <= count ? treatment : { kind: 'forward' });
}
