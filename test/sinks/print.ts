import { StdoutSink } from '../../sinks/stdout.ts';
import { batchOf, numbered } from './batch.ts';

// Prints 5,000 records and ends.
const sink = new StdoutSink({ warn() {}, stop() {} });
for (let first = 1; first <= 5000; first += 1000) await sink.send(batchOf(numbered(first, 1000), 50));
