import { hostname } from 'node:os';
import { join } from 'node:path';
import { Agent, type Replaceable } from '../agent.ts';
import { type Loaded, type LoadedConfig, loadConfig, type NotLoaded } from '../config/load.ts';
import { problemText } from '../config/problem.ts';
import { ConfigWatch } from '../config/watch.ts';
import type { Cluster } from '../kubernetes/cluster.ts';
import { machineTimezone } from '../machine-timezone.ts';
import { summarizeAccounts } from '../observe/accounts.ts';
import { HttpServer } from '../observe/http.ts';
import { createLog, type Logger } from '../observe/log.ts';
import { RefusedLines } from '../observe/refused-lines.ts';
import { ServiceMetrics } from '../observe/service-metrics.ts';
import { OutboxError } from '../outbox/failure.ts';
import { openOutbox } from '../outbox/open-outbox.ts';
import { RecordBuffer } from '../record-buffer.ts';
import { writeRefusalEvent } from '../refusal-event.ts';
import { deliveriesOf, type Lasting, type SetUp, setUp } from '../set-up.ts';
import type { SinkDelivery } from '../sink-delivery.ts';
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
  const log = createLog(loaded.config.log.level);
  const stop = new AbortController();
  stopOnSignals(stop, log);
  try {
    return await runAgent(loaded, options, stop, log);
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
  loaded: Loaded,
  options: { config: string; once: boolean },
  stop: AbortController,
  log: Logger,
): Promise<number> {
  const { once } = options;
  const { config } = loaded;
  const node = config.node ?? hostname();
  const records = new RecordBuffer();
  const outbox = await openOutbox(
    {
      path: join(config.state.path, 'state.db'),
      sizeMaxBytes: config.state.size_max,
      whenFull: config.state.when_full,
      sinks: config.sinks.map(({ name }) => name),
      finished: (blocks) => records.giveBack(blocks),
    },
    log,
    stop.signal,
  );
  let current: SetUp;
  const metrics = new ServiceMetrics({ version, hash: loaded.hash, outbox, current: () => current });
  const lasting: Lasting = {
    node,
    timezone: machineTimezone(process.env),
    statePath: config.state.path,
    outbox,
    records,
    refusedLines: new RefusedLines(log),
    log,
    fileEvents: (input) => metrics.inputs.events(input),
    deliveryEvents: (sink) => metrics.deliveries.events(sink),
    sinkContext: (sink) => ({
      warn: (message) => log.warn({ sink }, message),
      stop: (reason) => {
        log.info({ sink }, reason);
        stop.abort();
      },
    }),
  };
  warnOfDelegate(config, log);
  current = await setUp(config, lasting);

  let running = false;
  const http = new HttpServer({
    metrics: () => metrics.text(),
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
  const watch = once ? undefined : new ConfigWatch(options.config, process.env, loaded);
  const agent = new Agent({
    ...replaceable(current, log),
    records,
    outbox,
    log,
    shutdownTimeoutMs: config.shutdown_timeout,
    turn: (nowMs) => {
      const changed = watch?.lookNowAndThen(nowMs);
      if (changed !== undefined) reload(changed);
    },
    read: (input, bytes) => metrics.inputs.read(input, bytes),
    started: () => {
      running = true;
      log.info({ version, node, http: address }, 'running');
    },
  });
  let inForce = config;
  const reload = (next: Loaded | NotLoaded) => {
    if (!next.ok) {
      metrics.config.refused();
      const problems = next.problems.map((problem) => problemText(options.config, problem));
      log.error({ problems }, 'the changed configuration is refused; the old one stays in force');
      if (inForce.reload.events) void writeRefusalEvent(inForce, problems, node, log, stop.signal);
      return;
    }
    agent.replace(async () => {
      current = await setUp(next.config, lasting, current);
      inForce = next.config;
      log.level = next.config.log.level;
      metrics.config.applied(next.hash);
      warnOfDelegate(next.config, log);
      warnOfRestart(config, next.config, log);
      log.info({ hash: next.hash }, 'the changed configuration is in force');
      return replaceable(current, log);
    });
  };
  const resending = once
    ? []
    : Array.from(current.sinks, ([name, { work }]) => resend(name, work, stop.signal, log));

  await agent.run(stop.signal, once);
  await Promise.all(resending);
  running = false;
  for (const input of current.inputs) input.close();
  await current.cluster?.work.stop();
  outbox.close();
  if (address !== undefined) await http.close();
  const { intake } = current;
  const unnamed = Object.fromEntries(current.cluster?.work.unnamed.entries() ?? []);
  log.info({ accounts: summarizeAccounts(intake.accounts.values(), intake.openWindows), unnamed }, 'stopped');
  return EX_OK;
}

function replaceable(current: SetUp, log: Logger): Replaceable {
  const cluster = current.cluster?.work;
  return {
    inputs: current.inputs,
    intake: current.intake,
    deliveries: deliveriesOf(current),
    ready: cluster && ((signal) => untilKnown(cluster, log, signal)),
    looking: cluster && (() => cluster.observeClock()),
  };
}

/** Lines wait until the cluster is known, but not for ever: then they pass without names, counted. */
async function untilKnown(cluster: Cluster, log: Logger, signal: AbortSignal): Promise<void> {
  const missing = await cluster.ready(signal);
  if (missing.length === 0 || signal.aborted) return;
  log.warn({ missing }, 'lines are read although the cluster is not known: they may have no names');
}

/** Without the cluster's annotations nothing can be vouched for; whoever asked for them must know. */
function warnOfDelegate({ select, enrich }: LoadedConfig, log: Logger): void {
  if (enrich.kubernetes.enabled) return;
  for (const disposition of ['allow', 'deny'] as const) {
    if (!select[disposition].delegate) continue;
    log.warn(
      `select.${disposition}.delegate needs the cluster's annotations, which are read only with enrich.kubernetes.enabled: every ${disposition} is filtered{reason="delegate"}`,
    );
  }
}

/** Some keys are read only at the start. */
function warnOfRestart(started: LoadedConfig, next: LoadedConfig, log: Logger): void {
  const keys = (['node', 'state', 'http', 'shutdown_timeout'] as const).filter(
    (key) => JSON.stringify(started[key]) !== JSON.stringify(next[key]),
  );
  if (keys.length > 0) log.warn({ keys }, 'these keys take effect when the agent is started again');
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
