/** A token for the API, and until when it is good. */
export interface AccessToken {
  readonly value: string;
  readonly expiresMs: number;
}

export type TokenSource = (nowMs: number, signal: AbortSignal) => Promise<AccessToken>;

/** A metadata server gives the same token until it has five minutes left. */
const REFRESH_BEFORE_MS = 4 * 60_000;

/**
 * The token in use. It asks its source when the token has not four minutes left, once for all who want it, and goes on
 * with the old one as long as that is good and no new one can be had.
 */
export class KeptToken {
  readonly #source: TokenSource;
  #token: AccessToken | undefined;
  #asking: Promise<AccessToken> | undefined;

  constructor(source: TokenSource) {
    this.#source = source;
  }

  /** @throws what the source throws, where no token is left */
  async get(nowMs: number, signal: AbortSignal): Promise<{ value: string; isNew: boolean }> {
    const token = this.#token;
    if (token && nowMs < token.expiresMs - REFRESH_BEFORE_MS) return { value: token.value, isNew: false };
    this.#asking ??= this.#source(nowMs, signal).finally(() => {
      this.#asking = undefined;
    });
    try {
      this.#token = await this.#asking;
      return { value: this.#token.value, isNew: true };
    } catch (error) {
      if (token && nowMs < token.expiresMs) return { value: token.value, isNew: false };
      throw error;
    }
  }

  /** The API refused this one: the next request gets another. */
  forget(value: string): void {
    if (this.#token?.value === value) this.#token = undefined;
  }
}

/** What token endpoints answer: `access_token`, `expires_in`. Undefined for anything else. */
export function parseToken(json: string, nowMs: number): AccessToken | undefined {
  try {
    const { access_token: value, expires_in: seconds } = JSON.parse(json);
    if (typeof value !== 'string' || typeof seconds !== 'number') return undefined;
    return { value, expiresMs: nowMs + seconds * 1000 };
  } catch {
    return undefined;
  }
}
