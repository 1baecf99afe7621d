/** What a sink's records leave out or call otherwise. */
export interface ShapeConfig {
  /** Paths of fields, as `packet` or `src.pod_namespace`. */
  readonly drop: readonly string[];
  /** New paths by the old ones, as `connection.src_ip: src_ip`. */
  readonly rename: Readonly<Record<string, string>>;
}

type Fields = Record<string, unknown>;

/**
 * Makes the function that gives a record the shape that a sink wants; the record itself stays as it is. First fields
 * are dropped, then renamed in the order of the configuration; a field that is not there is passed over,
 * and one that a new name would replace is replaced. An object that has lost its last field goes too.
 */
export function compileShape({ drop, rename }: ShapeConfig): (record: Fields) => Fields {
  const drops = drop.map((path) => path.split('.'));
  const renames = Object.entries(rename).map(([from, to]) => [from.split('.'), to.split('.')] as const);
  return (record) => {
    const shaped = structuredClone(record);
    for (const path of drops) remove(shaped, path);
    for (const [from, to] of renames) {
      const value = remove(shaped, from);
      if (value !== undefined) put(shaped, to, value);
    }
    return shaped;
  };
}

/** Takes a field out; gives what it held. */
function remove(fields: Fields, [name, ...deeper]: readonly string[]): unknown {
  if (name === undefined || !Object.hasOwn(fields, name)) return undefined;
  const value = fields[name];
  if (deeper.length === 0) {
    delete fields[name];
    return value;
  }
  if (!isFields(value)) return undefined;
  const removed = remove(value, deeper);
  if (removed !== undefined && Object.keys(value).length === 0) delete fields[name];
  return removed;
}

function put(fields: Fields, [name, ...deeper]: readonly string[], value: unknown): void {
  // A name that every object has cannot be a field's.
  if (name === undefined || name === '__proto__') return;
  if (deeper.length === 0) {
    fields[name] = value;
    return;
  }
  const inner = fields[name];
  const next = Object.hasOwn(fields, name) && isFields(inner) ? inner : {};
  fields[name] = next;
  put(next, deeper, value);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
