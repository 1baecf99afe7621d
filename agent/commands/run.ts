import { hostname } from 'node:os';
import { join } from 'node:path';
import { Agent } from '../agent.ts';
import { bootTimeUs } from '../boot-time.ts';
import { type LoadedConfig, loadConfig } from '../config/load.ts';
import { problemText } from '../config/problem.ts';
import { formatOf } from '../formats.ts';
import { openInput } from '../inputs/file.ts';
import { Intake } from '../intake.ts';
import { summarizeAccounts } from '../observe/accounts.ts';
import { DeliveryMetrics, observeDeliveries, observeOutbox } from '../observe/delivery-metrics.ts';
import { HttpServer } from '../observe/http.ts';
import { InputMetrics } from '../observe/input-metrics.ts';
import { createLog, type Logger } from '../observe/log.ts';
import { createMetrics } from '../observe/metrics.ts';
import { RefusedLines } from '../observe/refused-lines.ts';
import { OutboxError } from '../outbox/failure.ts';
import { openOutbox } from '../outbox/open-outbox.ts';
import { RecordBuffer } from '../record-buffer.ts';
import { type SinkDelivery, sinkDelivery } from '../sink-delivery.ts';
import { version } from '../version.ts';
import { EX_CONFIG, EX_NOINPUT, EX_OK, EX_TEMPFAIL, EX_UNAVAILABLE } from './exit-codes.ts';

/**
 * The agent, until SIGTERM or SIGINT, or with `once` until all that is there has been delivered.
 * @returns the exit code
 */
export async function run(options: { config: string; once: boolean }): Promise<number> {
  const loaded = loadConfig(options.config, process.env);
  if (!loaded.ok) {
    for (const problem of loaded.problems) {
      process.stderr.write(`${problemText(options.config, problem)}\n`);
    }
    return loaded.unreadable ? EX_NOINPUT : EX_CONFIG;
  }
  const { config } = loaded;
  const log = createLog(config.log.level);
  const stop = new AbortController();
  stopOnSignals(stop, log);
  try {
    return await runAgent(config, options.once, stop, log);
  } catch (error) {
    if (error instanceof OutboxError) {
      log.error({ reason: error.reason }, error.message);
      return error.reason === 'locked' ? EX_TEMPFAIL : EX_UNAVAILABLE;
    }
    throw error;
  }
}

/** Wires the parts by hand, starts them front to back, and stops them in reverse. */
async function runAgent(
  config: LoadedConfig,
  once: boolean,
  stop: AbortController,
  log: Logger,
): Promise<number> {
  const node = config.node ?? hostname();
  const timezone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const outbox = await openOutbox(
    {
      path: join(config.state.path, 'state.db'),
      sizeMaxBytes: config.state.size_max,
      whenFull: config.state.when_full,
      sinks: config.sinks.map(({ name }) => name),
    },
    log,
    stop.signal,
  );
  const records = new RecordBuffer();
  const context = { config, node, timezone, bootTimeUs: bootTimeUs() };
  const formats = new Map(config.inputs.map((input) => [input.name, formatOf(input, context)] as const));
  const saved = outbox.load();
  warnOfDelegate(config, log);
  const refusedLines = new RefusedLines(log);
  const intake = new Intake(config, formats, records, { nodeName: node, refusedLines });
  intake.restore(saved);
  const metrics = createMetrics({
    version,
    accounts: intake.accounts,
    openWindows: () => intake.openWindows,
    lag: () => inputs.flatMap((input) => input.lag().map((lag) => ({ input: input.name, ...lag }))),
  });
  const inputMetrics = new InputMetrics(metrics);
  const inputs = config.inputs.map((input) => {
    const own = saved.checkpoints.filter((checkpoint) => checkpoint.input === input.name);
    const events = inputMetrics.events(input.name);
    return openInput(input, formats.get(input.name)!, own, { node, log, events });
  });
  observeOutbox(metrics, outbox);
  const deliveryMetrics = new DeliveryMetrics(metrics);
  const sinks = config.sinks.map((sink) =>
    sinkDelivery(sink, {
      source: outbox,
      statePath: config.state.path,
      log,
      events: (name) => deliveryMetrics.events(name),
      sinkContext: (name) => ({
        warn: (message) => log.warn({ sink: name }, message),
        stop: (reason) => {
          log.info({ sink: name }, reason);
          stop.abort();
        },
      }),
    }),
  );
  const deliveries = sinks.map(({ delivery }) => delivery);
  observeDeliveries(metrics, new Map(config.sinks.map(({ name }, index) => [name, deliveries[index]!])));

  let running = false;
  const http = new HttpServer({
    metrics: async () => ({ contentType: metrics.contentType, text: await metrics.metrics() }),
    notReady: () => (running ? undefined : 'the agent is starting or stopping'),
  });
  let address: string | undefined;
  try {
    address = once ? undefined : await http.listen(config.http.listen);
  } catch (error) {
    log.error(`cannot listen on ${config.http.listen} (http.listen): ${(error as Error).message}`);
    outbox.close();
    return EX_UNAVAILABLE;
  }
  const agent = new Agent({
    inputs,
    intake,
    records,
    outbox,
    deliveries,
    log,
    shutdownTimeoutMs: config.shutdown_timeout,
    read: (input, bytes) => inputMetrics.read(input, bytes),
    started: () => {
      running = true;
      log.info({ version, node, http: address }, 'running');
    },
  });
  const resent = (once ? [] : config.sinks).map(({ name }, index) =>
    resend(name, sinks[index]!, stop.signal, log),
  );
  await agent.run(stop.signal, once);
  await Promise.all(resent);
  running = false;
  for (const input of inputs) input.close();
  outbox.close();
  if (address !== undefined) await http.close();
  const accounts = summarizeAccounts(intake.accounts.values(), intake.openWindows);
  log.info({ accounts }, 'stopped');
  return EX_OK;
}

/** Without the cluster's annotations nothing can be vouched for; whoever asked for them must know. */
function warnOfDelegate({ select }: LoadedConfig, log: Logger): void {
  for (const disposition of ['allow', 'deny'] as const) {
    if (!select[disposition].delegate) continue;
    log.warn(
      `select.${disposition}.delegate needs the cluster's annotations, which this agent cannot read: every ${disposition} is filtered{reason="delegate"}`,
    );
  }
}

/** Sends a sink's dead letters again where somebody asked for it; what fails is logged, for records go on. */
async function resend(name: string, sink: SinkDelivery, signal: AbortSignal, log: Logger): Promise<void> {
  try {
    const records = await sink.resend(signal);
    if (records > 0) log.info({ sink: name, records }, 'dead letters were sent again');
  } catch (error) {
    log.error({ sink: name }, `cannot send dead letters again: ${(error as Error).message}`);
  }
}

/** The first signal asks for a clean stop; a second one does not wait for it. */
function stopOnSignals(stop: AbortController, log: Logger): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(EX_TEMPFAIL);
      log.info({ signal }, 'stopping');
      stop.abort();
    });
  }
}
