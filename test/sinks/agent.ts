import { dirname } from 'node:path';
import { argv } from 'node:process';
import { setImmediate as settle } from 'node:timers/promises';
import type { SinkConfig } from '../../agent/config/schema.ts';
import { DeadLetters } from '../../agent/delivery/dead-letters.ts';
import { Delivery } from '../../agent/delivery/delivery.ts';
import { toDeliveryOptions } from '../../agent/delivery/options.ts';
import { Outbox } from '../../agent/outbox/outbox.ts';
import { createSink } from '../../sinks/index.ts';
import { change } from '../agent/outbox/records.ts';
import { flowBlock } from './records.ts';

// Commits numbered records up to a number and delivers them to one sink; meant to be killed on the way.
const [path = '', json = '', upTo = '0'] = argv.slice(2);
const config = JSON.parse(json) as SinkConfig;
const log = { info() {}, warn: console.error, error: console.error } as never;
const outbox = new Outbox({ path, sizeMaxBytes: 4 << 20, whenFull: 'block', sinks: [config.name] }, log);
outbox.open();
console.error('open');
const context = { warn: console.error, stop: (reason: string) => console.error(reason) };
const events = { delivered() {}, retried() {}, refused() {}, filtered() {}, request() {} };
const deadLetters = new DeadLetters(dirname(path), config.name);
const parts = { source: outbox, createSink: () => createSink(config, context), deadLetters, events, log };
const delivery = new Delivery(toDeliveryOptions(config), parts);
delivery.wake();
const saved = outbox.load().checkpoints[0];
for (let next: number = saved ? JSON.parse(saved.json).next : 1; next <= Number(upTo); ) {
  if (!outbox.isFull()) {
    const blocks = [flowBlock(next, 500)];
    next += 500;
    const result = outbox.commit(
      change({ checkpoints: [{ key: 'file', input: 'syslog', json: JSON.stringify({ next }) }], blocks }),
      Date.now(),
    );
    if (!result.ok) throw new Error(result.message);
    delivery.wake();
  }
  await settle();
}
await delivery.drain();
await delivery.stop(1000);
outbox.close();
