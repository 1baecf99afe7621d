import { loadConfig } from '../config/load.ts';
import { problemText } from '../config/problem.ts';
import { EX_CONFIG, EX_NOINPUT, EX_OK } from './exit-codes.ts';

/** Where a command writes and what it knows of its surroundings. */
export interface CommandIo {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Writes the effective configuration as YAML, secrets hidden; or every problem, one a line.
 * @returns the exit code
 */
export function validate(options: { config: string }, io: CommandIo = process): number {
  const loaded = loadConfig(options.config, io.env);
  if (loaded.ok) {
    io.stdout.write(loaded.effective());
    return EX_OK;
  }
  for (const problem of loaded.problems) io.stderr.write(`${problemText(options.config, problem)}\n`);
  return loaded.unreadable ? EX_NOINPUT : EX_CONFIG;
}
