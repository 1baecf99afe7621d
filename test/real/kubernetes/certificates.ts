import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The address that the API server has as a Service, in pods. */
export const SERVICE_IP = '10.96.0.1';

/**
 * Keys of a cluster, written to `dir` with openssl: a certificate authority (`ca`), the API server's certificate
 * (`server`, for the loopback address, the Service's and `addresses`), the one that it shows a kubelet
 * (`kubelet-client`), a kubelet's own (`kubelet`), and the key that signs service accounts' tokens.
 */
export function makeCertificates(dir: string, addresses: readonly string[] = []): void {
  mkdirSync(dir, { recursive: true });
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
  const makeKey = (name: string) =>
    openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', `${name}.key`);
  const sign = (name: string, subject: string, extensions: readonly string[]) => {
    makeKey(name);
    openssl('req', '-new', '-key', `${name}.key`, '-subj', subject, '-out', `${name}.csr`);
    writeFileSync(join(dir, `${name}.extensions`), extensions.join('\n'));
    const authority = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2'];
    const request = ['-in', `${name}.csr`, '-extfile', `${name}.extensions`, '-out', `${name}.crt`];
    openssl('x509', '-req', ...authority, ...request);
  };
  const alternatives = ['127.0.0.1', SERVICE_IP, ...addresses].map((address) => `IP:${address}`);
  const names = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'];

  makeKey('ca');
  const ca = ['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign'];
  openssl(
    'req',
    '-x509',
    '-new',
    '-key',
    'ca.key',
    '-subj',
    '/CN=test-ca',
    '-days',
    '2',
    '-out',
    'ca.crt',
    ...ca,
  );
  sign('server', '/CN=kube-apiserver', [
    `subjectAltName=${[...alternatives, ...names.map((name) => `DNS:${name}`)].join(',')}`,
    'extendedKeyUsage=serverAuth',
  ]);
  sign('kubelet-client', '/O=system:masters/CN=kubelet-client', ['extendedKeyUsage=clientAuth']);
  sign('kubelet', '/O=system:nodes/CN=system:node:node-1', [
    `subjectAltName=${alternatives.join(',')},DNS:node-1`,
    'extendedKeyUsage=serverAuth,clientAuth',
  ]);
  openssl('genrsa', '-out', 'service-accounts.key', '2048');
}
