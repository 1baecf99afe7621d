/**
 * What a watch keeps up to date. A list replaces all that is there: `beginList`, a `put` for each of its objects,
 * `endList`. Between lists changes come one by one. Times are those of hearing, microseconds since the epoch.
 */
export interface ObjectStore<T> {
  beginList(): void;
  put(object: T, nowUs: number): void;
  remove(object: T, nowUs: number): void;
  /** What the list did not have is gone. */
  endList(nowUs: number): void;
  /** The API server was heard of: what is here was true then. */
  contact?(nowUs: number): void;
}
