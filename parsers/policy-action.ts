import type { Format, LineParser, ParsedLine } from './line.ts';
import { FOREIGN, REFUSED } from './parsed.ts';
import { PolicyActionLine, type PolicyActionOptions } from './policy-action-line.ts';
import { PolicyActionMemory } from './policy-action-recall.ts';

/**
 * GKE Dataplane V2's policy logging: `/var/log/network/policy_action.log*`, one JSON object a line. The object
 * is the record already, so it is carried through: known members are checked, unknown ones left alone.
 */
export function policyActionFormat(options: PolicyActionOptions): Format {
  const memory = new PolicyActionMemory();
  return {
    name: 'policy_action',
    needles: [],
    open: () => new PolicyActionParser(options, memory),
    save: () => null,
    restore: () => {},
  };
}

class PolicyActionParser implements LineParser {
  readonly #line: PolicyActionLine;

  constructor(options: PolicyActionOptions, memory: PolicyActionMemory) {
    this.#line = new PolicyActionLine(options, memory);
  }

  parse(bytes: Buffer, start: number, end: number): ParsedLine {
    if (start === end) return FOREIGN;
    const reason = this.#line.read(bytes, start, end);
    return reason === undefined ? this.#line : REFUSED[reason];
  }

  passedOver(): void {}

  save(): null {
    return null;
  }
}
