import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type RsyslogTemplate = 'RSYSLOG_FileFormat' | 'RSYSLOG_TraditionalFileFormat';

/** A real rsyslogd of one's own that writes the kernel's log to one file. It needs root. */
export class Rsyslog {
  readonly file: string;
  readonly #config: string;
  readonly #pidFile: string;
  #process: ChildProcess | undefined;

  /** @param dir where its configuration and own state are */
  constructor(dir: string, template: RsyslogTemplate, node: string, file: string = join(dir, 'syslog')) {
    mkdirSync(join(dir, 'work'), { recursive: true });
    this.file = file;
    this.#config = join(dir, 'rsyslog.conf');
    this.#pidFile = join(dir, 'rsyslog.pid');
    writeFileSync(
      this.#config,
      `global(workDirectory="${join(dir, 'work')}" localHostname="${node}")
module(load="imklog")
action(type="omfile" file="${file}" template="${template}")
`,
    );
  }

  start(): void {
    this.#process = spawn('rsyslogd', ['-n', '-f', this.#config, '-i', this.#pidFile], { stdio: 'ignore' });
  }

  /** What logrotate does: the file is renamed; rsyslog goes on writing to it until it is told. */
  rename(to: string): void {
    renameSync(this.file, to);
  }

  /** Opens its file anew. */
  reopen(): void {
    this.#process?.kill('SIGHUP');
  }

  async stop(): Promise<void> {
    if (this.#process === undefined) return;
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGTERM');
    await exited;
    this.#process = undefined;
  }
}
