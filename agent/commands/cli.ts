import { Argument, Command, CommanderError, Option } from 'commander';
import { version } from '../version.ts';
import { EX_OK, EX_USAGE } from './exit-codes.ts';

/** What the command line can ask for. Each answers with the exit code. */
export interface Commands {
  run(options: { config: string; once: boolean }): Promise<number>;
  validate(options: { config: string }): Promise<number>;
  parse(files: string[], options: ParseOptions): Promise<number>;
  schema(subject: SchemaSubject): Promise<number>;
}

export interface ParseOptions {
  config?: string;
  format: string;
  aggregate: boolean;
  now?: string;
  timezone?: string;
  node?: string;
}

/** Where help and errors go. */
export interface CliOutput {
  out(text: string): void;
  err(text: string): void;
}

/** What `schema` can describe. */
export const SCHEMA_SUBJECTS = ['config', 'record'] as const;
export type SchemaSubject = (typeof SCHEMA_SUBJECTS)[number];

const FORMATS = ['auto', 'syslog', 'policy_action', 'flow_log', 'kmsg', 'journal'];

const EXAMPLES = {
  top: `
Examples:
  policy-log-agent run --config /etc/policy-log-agent/config.yaml
  policy-log-agent validate --config config.yaml
  journalctl -k | policy-log-agent parse

Exit codes are those of sysexits.h: 64 for a wrong command line, 66 for a missing file, 78 for a wrong
configuration, 70 for a defect of the agent.`,
  run: `
Examples:
  policy-log-agent run --config /etc/policy-log-agent/config.yaml
  policy-log-agent run --config config.yaml --once    # read what is there, deliver it, exit 0`,
  validate: `
Examples:
  policy-log-agent validate --config config.yaml
  policy-log-agent validate --config config.yaml > effective.yaml

Problems go to standard error, one a line, as FILE:LINE:COLUMN: PATH: what is wrong; the exit code is 78 then.`,
  parse: `
Examples:
  journalctl -k | policy-log-agent parse
  policy-log-agent parse --aggregate /var/log/syslog /var/log/syslog.1
  policy-log-agent parse --format policy_action /var/log/network/policy_action.log
  policy-log-agent parse --format syslog --now 2026-01-01T00:00:00Z --timezone Europe/Berlin syslog.2

The last line on standard error is one JSON object with the accounts: what became of every line.`,
  schema: `
Examples:
  policy-log-agent schema config > config.schema.json
  policy-log-agent schema record > record.schema.json`,
};

/**
 * Reads the command line and runs what it asks for.
 * @param argv without the program's own name
 * @returns the exit code
 */
export async function runCli(
  argv: readonly string[],
  commands: Commands,
  output: CliOutput,
): Promise<number> {
  let exitCode = EX_OK;
  const program = buildProgram(commands, output, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? EX_OK : EX_USAGE;
  }
}

function buildProgram(commands: Commands, output: CliOutput, done: (exitCode: number) => void): Command {
  const program = new Command('policy-log-agent')
    .description('Turns network-policy logs of Calico and GKE into flow records and delivers them.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .addHelpText('after', EXAMPLES.top)
    .showHelpAfterError('(policy-log-agent --help tells more)')
    .configureOutput({
      writeOut: output.out,
      writeErr: output.err,
      getOutHelpWidth: () => 100,
      getErrHelpWidth: () => 100,
    })
    .exitOverride();

  const configOption = () => new Option('--config <file>', 'the configuration file (YAML); required');
  // Not a mandatory option of commander: that is missed before a mistyped `--confg` gets its suggestion.
  const withConfig = <T extends { config?: string }>(
    options: T,
    command: Command,
  ): T & { config: string } => {
    const { config } = options;
    if (config === undefined)
      command.error('error: --config FILE is missing', { code: 'missing', exitCode: 1 });
    return { ...options, config };
  };
  // Subcommands made by `command` inherit output and exit handling; those made by `new Command` do not.
  const command = (name: keyof typeof EXAMPLES, description: string) =>
    program
      .command(name)
      .description(description)
      .addHelpText('after', EXAMPLES[name])
      .showHelpAfterError(`(policy-log-agent ${name} --help tells more)`);

  command('run', 'Runs the agent.')
    .addOption(configOption())
    .option('--once', 'read what is there, close the windows, deliver, and exit', false)
    .action(async (options, command) => done(await commands.run(withConfig(options, command))));

  command('validate', 'Checks a configuration and prints what is in effect, secrets hidden.')
    .addOption(configOption())
    .action(async (options, command) => done(await commands.validate(withConfig(options, command))));

  command('parse', 'Turns lines into records: one JSON object a line on standard output.')
    .addArgument(new Argument('[file...]', 'files to read; standard input when there is none'))
    .addOption(new Option('--config <file>', 'take prefixes, selection, limit and windows from here'))
    .addOption(new Option('--format <format>', 'what the lines are').choices(FORMATS).default('auto'))
    .option('--aggregate', 'also select, limit and merge, as run does', false)
    .option('--now <time>', 'the time that stamps without a year are read at (RFC 3339); default: the clock')
    .option('--timezone <zone>', "IANA zone of stamps that have none; default: this machine's")
    .option('--node <name>', "node name in the records; default: the configuration's, or the host's")
    .action(async (files, options) => done(await commands.parse(files, options)));

  command('schema', 'Prints a JSON Schema.')
    .addArgument(new Argument('<subject>', 'what to describe').choices(SCHEMA_SUBJECTS))
    .action(async (subject) => done(await commands.schema(subject)));

  return program;
}
