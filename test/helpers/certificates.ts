import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const EC_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** Paths of PEM files. */
export interface Certificates {
  readonly ca: string;
  readonly cert: (name: string) => string;
  readonly key: (name: string) => string;
}

/** Makes an authority and certificates of these names, each good for 127.0.0.1 and two days. */
export function makeCertificates(folder: string, names: readonly string[]): Certificates {
  const at = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
  const authority = ['-keyout', at('ca.key'), '-out', at('ca.pem'), '-subj', '/CN=authority', '-days', '2'];
  openssl('req', '-x509', ...EC_KEY, ...authority);
  for (const name of names) {
    const [request, extensions] = [at(`${name}.csr`), at(`${name}.ext`)];
    openssl('req', ...EC_KEY, '-keyout', at(`${name}.key`), '-out', request, '-subj', `/CN=${name}`);
    writeFileSync(extensions, `subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:${name}`);
    const signing = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '2'];
    openssl('x509', '-req', '-in', request, ...signing, '-extfile', extensions, '-out', at(`${name}.pem`));
  }
  return { ca: at('ca.pem'), cert: (name) => at(`${name}.pem`), key: (name) => at(`${name}.key`) };
}
