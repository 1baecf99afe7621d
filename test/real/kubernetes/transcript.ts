import { writeFileSync } from 'node:fs';

/** What a run did and saw, as a page: each command with what it printed. Written where TRANSCRIPT names a file. */
export class Transcript {
  readonly #parts: string[];

  /** @param introduction how the page begins */
  constructor(introduction: string) {
    this.#parts = [introduction];
  }

  section(title: string): void {
    this.#parts.push(`## ${title}`);
  }

  say(text: string): void {
    this.#parts.push(text);
  }

  command(command: string, output: string): void {
    this.#parts.push(`\`\`\`console\n$ ${command}\n${output.trimEnd()}\n\`\`\``);
  }

  write(): void {
    const file = process.env.TRANSCRIPT;
    if (file !== undefined) writeFileSync(file, `${this.#parts.join('\n\n')}\n`);
  }
}
