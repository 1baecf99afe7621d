#!/usr/bin/env node
import { runCli } from './commands/cli.ts';
import { EX_IOERR, EX_SOFTWARE, EX_UNAVAILABLE } from './commands/exit-codes.ts';

// The door: checks what it stands on, reads the command line, and loads only the command that is asked for.

const NODE_MIN = [24, 15] as const;

/** The oldest Node.js has neither the SQLite nor the syntax that the agent needs, and would say so in riddles. */
function nodeIsTooOld(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return major < NODE_MIN[0] || (major === NODE_MIN[0] && minor < NODE_MIN[1]);
}

async function main(): Promise<number> {
  if (nodeIsTooOld()) {
    process.stderr.write(
      `policy-log-agent needs Node.js ${NODE_MIN.join('.')} or newer; this is ${process.versions.node} (${process.execPath})\n`,
    );
    return EX_UNAVAILABLE;
  }
  // `… | head` closes the pipe early: not an error of this program.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return;
    process.stderr.write(`cannot write to standard output: ${error.message}\n`);
    process.exitCode = EX_IOERR;
  });
  return runCli(
    process.argv.slice(2),
    {
      run: async (options) => (await import('./commands/run.ts')).run(options),
      validate: async (options) => (await import('./commands/validate.ts')).validate(options),
      parse: async (files, options) => (await import('./commands/parse.ts')).parse(files, options),
      schema: async (subject) => (await import('./commands/schema.ts')).schema(subject),
    },
    { out: (text) => process.stdout.write(text), err: (text) => process.stderr.write(text) },
  );
}

function sayDefect(error: unknown): void {
  process.stderr.write(`policy-log-agent failed; this is a defect: ${(error as Error)?.stack ?? error}\n`);
}

process.on('uncaughtException', (error) => {
  sayDefect(error);
  process.exit(EX_SOFTWARE);
});

try {
  const exitCode = await main();
  process.exitCode ??= exitCode;
} catch (error) {
  sayDefect(error);
  process.exitCode = EX_SOFTWARE;
}
