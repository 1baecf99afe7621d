import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Report } from './receiver.ts';

/** The receiver as seen from the process that measures. */
export class ReceiverProcess {
  readonly #child: ChildProcess;

  constructor() {
    this.#child = fork(fileURLToPath(new URL('./receiver.ts', import.meta.url)), {
      serialization: 'advanced',
    });
  }

  /** Where it listens. */
  async url(): Promise<string> {
    const [message] = await once(this.#child, 'message');
    return `http://127.0.0.1:${message.port}/records`;
  }

  /** What came since the last report. */
  async report(): Promise<Report> {
    this.#child.send('report');
    for (;;) {
      const [message] = await once(this.#child, 'message');
      if (message.report !== undefined) return message.report;
    }
  }

  /** Resolves with the time of arrival (ms since the epoch) of the next marked record. */
  async marker(): Promise<number> {
    for (;;) {
      const [message] = await once(this.#child, 'message');
      if (message.marker !== undefined) return message.marker;
    }
  }

  stop(): void {
    this.#child.disconnect();
  }
}
