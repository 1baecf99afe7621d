import { readPath } from '../../parsers/read-path.ts';
import { LinearRegExp, patternProblem } from './linear-regexp.ts';
import { type AddressWords, containsAddress, readAddress, readNetwork } from './network.ts';

/** One condition over a record, or a combination of conditions. */
export type FilterConfig =
  | { and: FilterConfig[] }
  | { or: FilterConfig[] }
  | { not: FilterConfig }
  | FieldTest;

/** A test of one field; exactly one test key is given. */
export interface FieldTest {
  field: string;
  equals?: string | number | boolean | undefined;
  one_of?: (string | number | boolean)[] | undefined;
  matches?: string | undefined;
  cidr?: string | string[] | undefined;
  port_range?: string | undefined;
  exists?: boolean | undefined;
}

/** Whether a record passes. */
export type Filter = (record: object) => boolean;

/** Tests a single value of the record; never called for one that is absent. */
type ValueTest = (value: unknown) => boolean;

/** Something that is wrong in a filter, at a path inside it. */
export interface FilterProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

const TESTS = ['equals', 'one_of', 'matches', 'cidr', 'port_range', 'exists'] as const;

/** The first names of all paths in records; below them a source may add its own, but for `connection`. */
const FIELDS = new Set(
  'id connection disposition policies src dest count node_name timestamp last_timestamp packets bytes src_ports prefix packet log_type source candidate_policies message body'.split(
    ' ',
  ),
);
const CONNECTION_FIELDS = new Set(['src_ip', 'src_port', 'dest_ip', 'dest_port', 'protocol', 'direction']);

/**
 * Makes a filter into one function, so that a record costs no look at the configuration. A test of a list holds if it
 * holds for any element; a test of what is absent does not hold, but for `exists: false`.
 *
 * @param config a filter without problems
 */
export function compileFilter(config: FilterConfig): Filter {
  if ('and' in config) {
    const all = config.and.map(compileFilter);
    return (record) => all.every((one) => one(record));
  }
  if ('or' in config) {
    const any = config.or.map(compileFilter);
    return (record) => any.some((one) => one(record));
  }
  if ('not' in config) {
    const one = compileFilter(config.not);
    return (record) => !one(record);
  }
  const path = config.field.split('.');
  if (config.exists === false) return (record) => !readPath(record, path, isThere);
  const test = compileTest(config);
  return (record) => readPath(record, path, test);
}

/** The fields that a filter looks at, as they are written in it. */
export function fieldsOf(config: FilterConfig): string[] {
  if ('and' in config) return config.and.flatMap(fieldsOf);
  if ('or' in config) return config.or.flatMap(fieldsOf);
  if ('not' in config) return fieldsOf(config.not);
  return [config.field];
}

/** What is wrong in one test of a field; empty where nothing is. */
export function testProblems(test: FieldTest): FilterProblem[] {
  const problems: FilterProblem[] = [];
  if (TESTS.filter((name) => test[name] !== undefined).length !== 1)
    problems.push({ path: [], message: `expected exactly one of ${TESTS.join(', ')} beside the field` });
  const [first = '', second, ...deeper] = test.field.split('.');
  const isKnown =
    FIELDS.has(first) &&
    (first !== 'connection' || (CONNECTION_FIELDS.has(second ?? '') && deeper.length === 0));
  if (!isKnown) problems.push({ path: ['field'], message: 'expected a field of the record' });
  const pattern = test.matches === undefined ? undefined : patternProblem(test.matches);
  if (pattern !== undefined) problems.push({ path: ['matches'], message: pattern });
  for (const [index, cidr] of [test.cidr ?? []].flat().entries()) {
    if (readNetwork(cidr) !== undefined) continue;
    const path = Array.isArray(test.cidr) ? ['cidr', index] : ['cidr'];
    problems.push({ path, message: 'expected a network, as 10.0.0.0/8 or 2001:db8::/32' });
  }
  if (test.port_range !== undefined) {
    const [low, high] = portsOf(test.port_range);
    if (low > high || high > 65_535)
      problems.push({
        path: ['port_range'],
        message: 'expected the lower port first, and none beyond 65535',
      });
  }
  return problems;
}

function compileTest(test: FieldTest): ValueTest {
  if (test.equals !== undefined) {
    const expected = String(test.equals);
    return (value) => isScalar(value) && String(value) === expected;
  }
  if (test.one_of !== undefined) {
    const expected = new Set(test.one_of.map(String));
    return (value) => isScalar(value) && expected.has(String(value));
  }
  if (test.matches !== undefined) {
    const pattern = new LinearRegExp(test.matches);
    return (value) => isScalar(value) && pattern.test(String(value));
  }
  if (test.cidr !== undefined) {
    const networks = [test.cidr].flat().map((cidr) => readNetwork(cidr)!);
    const isInside = (address: AddressWords) => networks.some((network) => containsAddress(network, address));
    return (value) => {
      const address = typeof value === 'string' ? readAddress(value) : undefined;
      return address !== undefined && isInside(address);
    };
  }
  if (test.port_range !== undefined) {
    const [low, high] = portsOf(test.port_range);
    return (value) => typeof value === 'number' && value >= low && value <= high;
  }
  return isThere;
}

function isThere(): boolean {
  return true;
}

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

function portsOf(range: string): [low: number, high: number] {
  const [low, high = low] = range.split('-').map(Number);
  return [low!, high!];
}
