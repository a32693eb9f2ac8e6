import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A key and its own certificate for 127.0.0.1, as files and read. */
export interface Certificate {
  readonly files: { readonly key: string; readonly cert: string; readonly ca: string };
  readonly key: Buffer;
  readonly cert: Buffer;
  remove(): void;
}

/** Makes a certificate that is its own authority. */
export function makeCertificate(): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'swf tls '));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const self = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'];
  const out = ['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert];
  execFileSync('openssl', [...self, ...out], { stdio: 'ignore' });
  return {
    files: { key, cert, ca: cert },
    key: readFileSync(key),
    cert: readFileSync(cert),
    remove: () => rmSync(folder, { recursive: true }),
  };
}
