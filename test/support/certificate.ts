import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A certificate of `localhost` that nobody trusts, and its key; `undefined` where there is no `openssl`. */
export function makeCertificate(): { readonly cert: Buffer; readonly key: Buffer } | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'mdp-certificate-'));
  const argv = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  try {
    execFileSync('openssl', [...argv, '-subj', '/CN=localhost', '-keyout', 'key.pem', '-out', 'cert.pem'], {
      cwd: folder,
      stdio: 'ignore',
    });
    return { cert: readFileSync(join(folder, 'cert.pem')), key: readFileSync(join(folder, 'key.pem')) };
  } catch {
    return undefined;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
