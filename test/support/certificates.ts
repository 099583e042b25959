/** Certificates for a broker on 127.0.0.1, made with openssl in a folder of their own. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const exec = promisify(execFile);

export interface Certificates {
  /** The authority that signed the broker's and the client's certificate. */
  ca: string;
  /** An authority that signed neither. */
  strangerCa: string;
  strangerKey: string;
  clientCert: string;
  clientKey: string;
  /** Private key and certificate chain in one PEM file, as Kafka wants its keystore. */
  brokerKeystore: string;
  /** Keystores whose certificate no client should accept. */
  expiredKeystore: string;
  notYetValidKeystore: string;
  otherHostKeystore: string;
  remove(): Promise<void>;
}

const LOCAL = 'DNS:localhost,IP:127.0.0.1';

/** A configuration of `openssl ca` for one certificate. */
function registerOf(name: string): string {
  return [
    '[ca]',
    'default_ca = only',
    '[only]',
    `database = ${name}.index`,
    `serial = ${name}.serial`,
    'default_md = sha256',
    'policy = any',
    'x509_extensions = extensions',
    '[any]',
    'commonName = supplied',
    '[extensions]',
    `subjectAltName = ${LOCAL}`,
    'basicConstraints = critical,CA:FALSE',
    '',
  ].join('\n');
}

export async function makeCertificates(): Promise<Certificates> {
  const folder = await mkdtemp(join(tmpdir(), 'moderato-tls-'));
  const openssl = (...args: string[]) => exec('openssl', args, { cwd: folder });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const authority = (name: string) =>
    openssl(
      ...['req', '-x509', ...key, '-keyout', `${name}.key`, '-out', `${name}.pem`],
      ...['-subj', `/CN=${name}`, '-addext', 'basicConstraints=critical,CA:TRUE'],
    );
  const signed = (name: string, host = LOCAL) =>
    openssl(
      ...['req', '-x509', ...key, '-keyout', `${name}.key`, '-out', `${name}.pem`],
      ...['-CA', 'ca.pem', '-CAkey', 'ca.key', '-subj', `/CN=${name}`],
      ...['-addext', `subjectAltName=${host}`],
      ...['-addext', 'basicConstraints=critical,CA:FALSE'],
    );
  /** `openssl req` knows no dates before 3.4, `openssl ca` does: it wants a register of what it signed. */
  const dated = async (name: string, from: string, to: string) => {
    await openssl(
      ...['req', '-new', ...key.slice(0, -2), '-keyout', `${name}.key`, '-out', `${name}.csr`],
      ...['-subj', `/CN=${name}`, '-config', 'request.cnf'],
    );
    await writeFile(join(folder, `${name}.cnf`), registerOf(name));
    await writeFile(join(folder, `${name}.index`), '');
    await writeFile(join(folder, `${name}.serial`), '01\n');
    await openssl(
      ...['ca', '-batch', '-notext', '-config', `${name}.cnf`, '-cert', 'ca.pem'],
      ...['-keyfile', 'ca.key', '-in', `${name}.csr`, '-out', `${name}.pem`],
      ...['-startdate', from, '-enddate', to, '-outdir', '.'],
    );
  };
  await writeFile(join(folder, 'request.cnf'), '[req]\ndistinguished_name = dn\n[dn]\n');
  await Promise.all([authority('ca'), authority('stranger')]);
  await Promise.all([
    signed('broker'),
    signed('client'),
    signed('elsewhere', 'DNS:kafka.example'),
    dated('expired', '20200101000000Z', '20210101000000Z'),
    dated('early', '20800101000000Z', '20810101000000Z'),
  ]);

  const read = (name: string) => readFile(join(folder, name), 'utf8');
  for (const name of ['broker', 'elsewhere', 'expired', 'early']) {
    const parts = [await read(`${name}.key`), await read(`${name}.pem`), await read('ca.pem')];
    await writeFile(join(folder, `${name}-keystore.pem`), parts.join(''));
  }
  return {
    ca: join(folder, 'ca.pem'),
    strangerCa: join(folder, 'stranger.pem'),
    strangerKey: join(folder, 'stranger.key'),
    clientCert: join(folder, 'client.pem'),
    clientKey: join(folder, 'client.key'),
    brokerKeystore: join(folder, 'broker-keystore.pem'),
    expiredKeystore: join(folder, 'expired-keystore.pem'),
    notYetValidKeystore: join(folder, 'early-keystore.pem'),
    otherHostKeystore: join(folder, 'elsewhere-keystore.pem'),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
