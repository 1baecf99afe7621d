import type { Path } from './path.ts';
import { pathText } from './path.ts';

/** One thing that is wrong with a configuration file, and what would be right. */
export interface Problem {
  /** As `sinks[1].batch.records_max`; empty for the file as a whole. */
  readonly path: string;
  /** Both from 1; of the value, or of what should have held it. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** A problem before its place in the file is known. */
export interface Finding {
  readonly path: Path;
  readonly message: string;
  /** The key is wrong, not its value. */
  readonly atKey?: boolean;
  /** Where in the text, when the path alone does not say. */
  readonly offset?: number;
}

export interface Place {
  readonly line: number;
  readonly column: number;
}

/** `FILE:LINE:COLUMN: PATH: message`, as editors and CI systems recognise it. */
export function problemText(file: string, problem: Problem): string {
  const path = problem.path === '' ? '' : `${problem.path}: `;
  return `${file}:${problem.line}:${problem.column}: ${path}${problem.message}`;
}

/** Puts findings where they belong, in the order of the file, each once and on one line. */
export function placeFindings(findings: readonly Finding[], place: (finding: Finding) => Place): Problem[] {
  const problems = findings.map((finding) => ({
    path: pathText(finding.path),
    ...place(finding),
    message: finding.message.replaceAll(/\s*\n\s*/g, ' '),
  }));
  problems.sort((a, b) => a.line - b.line || a.column - b.column || (a.path < b.path ? -1 : 1));
  return problems.filter(
    (problem, i) =>
      i === 0 || problem.path !== problems[i - 1]!.path || problem.message !== problems[i - 1]!.message,
  );
}
