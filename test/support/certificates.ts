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
  clientCert: string;
  clientKey: string;
  /** Private key and certificate chain in one PEM file, as Kafka wants its keystore. */
  brokerKeystore: string;
  remove(): Promise<void>;
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
  const signed = (name: string) =>
    openssl(
      ...['req', '-x509', ...key, '-keyout', `${name}.key`, '-out', `${name}.pem`],
      ...['-CA', 'ca.pem', '-CAkey', 'ca.key', '-subj', `/CN=${name}`],
      ...['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
      ...['-addext', 'basicConstraints=critical,CA:FALSE'],
    );
  await Promise.all([authority('ca'), authority('stranger')]);
  await Promise.all([signed('broker'), signed('client')]);

  const read = (name: string) => readFile(join(folder, name), 'utf8');
  const keystore = [await read('broker.key'), await read('broker.pem'), await read('ca.pem')];
  await writeFile(join(folder, 'keystore.pem'), keystore.join(''));
  return {
    ca: join(folder, 'ca.pem'),
    strangerCa: join(folder, 'stranger.pem'),
    clientCert: join(folder, 'client.pem'),
    clientKey: join(folder, 'client.key'),
    brokerKeystore: join(folder, 'keystore.pem'),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
