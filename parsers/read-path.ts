/**
 * Whether any value at a path passes a test. On the way, a list stands for each of its elements; a name that is
 * not there is looked for with what follows it, for labels have dots in their names.
 *
 * @param test not called where nothing is at the path; null counts as nothing
 */
export function readPath(
  value: unknown,
  path: readonly string[],
  test: (value: unknown) => boolean,
): boolean {
  return walk(value, path, 0, test);
}

function walk(
  value: unknown,
  path: readonly string[],
  at: number,
  test: (value: unknown) => boolean,
): boolean {
  if (value === undefined || value === null) return false;
  if (Array.isArray(value)) return value.some((element) => walk(element, path, at, test));
  if (at === path.length) return test(value);
  if (typeof value !== 'object') return false;
  let name = path[at]!;
  for (let next = at + 1; ; next += 1) {
    if (Object.hasOwn(value, name)) return walk((value as Record<string, unknown>)[name], path, next, test);
    if (next >= path.length) return false;
    name += `.${path[next]}`;
  }
}
