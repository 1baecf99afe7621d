import { readFileSync } from 'node:fs';

interface Shape {
  readonly type: string;
  readonly documentation?: string;
  readonly required?: readonly string[];
  readonly members?: Readonly<Record<string, { readonly shape: string }>>;
  readonly member?: { readonly shape: string };
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
}

interface Operation {
  readonly documentation: string;
  readonly input?: { readonly shape: string };
  readonly output?: { readonly shape: string };
  readonly errors?: readonly { readonly shape: string }[];
}

/** The published model of an AWS API: what its requests and answers look like. */
export class ApiModel {
  readonly #model: {
    readonly metadata: Readonly<Record<string, string>>;
    readonly operations: Readonly<Record<string, Operation>>;
    readonly shapes: Readonly<Record<string, Shape>>;
  };

  /** @param path a service model of botocore, JSON */
  constructor(path: string) {
    this.#model = JSON.parse(readFileSync(path, 'utf8'));
  }

  get metadata(): Readonly<Record<string, string>> {
    return this.#model.metadata;
  }

  operation(name: string): Operation {
    const operation = this.#model.operations[name];
    if (operation === undefined) throw new Error(`the API has no operation ${name}`);
    return operation;
  }

  shape(name: string): Shape {
    return this.#model.shapes[name]!;
  }

  /** Codes of the errors that an operation's description names. */
  errors(name: string): string[] {
    return (this.operation(name).errors ?? []).map(({ shape }) => shape);
  }

  /** What is wrong with an operation's input. */
  checkInput(name: string, input: unknown): string[] {
    return this.#check(this.operation(name).input?.shape, input, name);
  }

  /** What is wrong with an operation's output. */
  checkOutput(name: string, output: unknown): string[] {
    return this.#check(this.operation(name).output?.shape, output, name);
  }

  #check(name: string | undefined, value: unknown, at: string): string[] {
    if (name === undefined) return Object.keys(value as object).map((key) => `${at}.${key} is unknown`);
    const shape = this.shape(name);
    switch (shape.type) {
      case 'structure':
        return this.#checkStructure(shape, value, at);
      case 'list':
        if (!Array.isArray(value)) return [`${at} is no list`];
        return [
          ...bounds(shape, value.length, at),
          ...value.flatMap((item, n) => this.#check(shape.member!.shape, item, `${at}[${n}]`)),
        ];
      case 'string':
        if (typeof value !== 'string') return [`${at} is no string`];
        if (shape.enum?.includes(value) === false) return [`${at} is none of ${shape.enum.join()}`];
        if (shape.pattern !== undefined && !new RegExp(`^(?:${shape.pattern})$`).test(value)) {
          return [`${at} does not match ${shape.pattern}`];
        }
        return bounds(shape, [...value].length, at);
      case 'integer':
      case 'long':
        return Number.isSafeInteger(value)
          ? bounds(shape, value as number, at)
          : [`${at} is no whole number`];
      default:
        return [`${at} is of type ${shape.type}, which this check does not know`];
    }
  }

  #checkStructure({ members = {}, required = [] }: Shape, value: unknown, at: string): string[] {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${at} is no object`];
    const missing = required.filter((key) => !(key in value)).map((key) => `${at}.${key} is missing`);
    const problems = Object.entries(value).flatMap(([key, member]) => {
      const known = members[key];
      return known === undefined
        ? [`${at}.${key} is unknown`]
        : this.#check(known.shape, member, `${at}.${key}`);
    });
    return [...missing, ...problems];
  }
}

function bounds({ min, max }: Shape, size: number, at: string): string[] {
  if (min !== undefined && size < min) return [`${at} is below ${min}`];
  return max !== undefined && size > max ? [`${at} is above ${max}`] : [];
}
