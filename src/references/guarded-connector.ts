import { lookup as systemLookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import { AppError } from '../errors.ts';
import type { AddressPolicy } from './address-policy.ts';
import { addressRule } from './url-policy.ts';

export interface ResolvedAddress {
  address: string;
  family: number;
}

/** Every address of a host name; rejects with the resolver's error. */
export type Resolve = (hostname: string) => Promise<readonly ResolvedAddress[]>;

export interface GuardedConnectorOptions {
  addresses: AddressPolicy;
  /** @default the system's resolver */
  resolve?: Resolve | undefined;
  /** Of resolving, connecting and the TLS handshake together. */
  timeoutMs: number;
  /** PEM certificates to trust instead of Node's own. */
  ca?: string | undefined;
}

/**
 * Opens connections to allowed addresses only. A name is resolved once for each connection, all its addresses are
 * judged, and the connection is made to those very addresses: a name that resolves differently a moment later
 * (DNS rebinding) gains nothing. One forbidden address among them refuses the host. The connection fails with
 * AppError `image_url_refused` then.
 */
export function createGuardedConnector(options: GuardedConnectorOptions): buildConnector.connector {
  const { addresses, timeoutMs, ca } = options;
  const resolve = options.resolve ?? ((hostname) => systemLookup(hostname, { all: true }));

  async function judged(hostname: string): Promise<[ResolvedAddress, ...ResolvedAddress[]]> {
    const [first, ...others] = await resolve(hostname);
    if (first === undefined) {
      throw Object.assign(new Error(`${hostname} has no address`), { code: 'ENOTFOUND' });
    }
    for (const { address } of [first, ...others]) {
      const kind = addresses.forbids(address);
      if (kind !== null) throw refused(hostname, kind);
    }
    return [first, ...others];
  }

  const lookup: LookupFunction = (hostname, { all }, callback) => {
    judged(hostname).then(
      (found) => {
        if (all === true) callback(null, found);
        else callback(null, found[0].address, found[0].family);
      },
      (error: unknown) => callback(error as NodeJS.ErrnoException, ''),
    );
  };
  const connect = buildConnector({
    lookup,
    autoSelectFamily: true,
    timeout: timeoutMs,
    allowH2: false,
    ...(ca !== undefined && { ca }),
  });
  return (target, callback) => {
    // Nobody looks an IP address up.
    const kind = isIP(target.hostname) === 0 ? null : addresses.forbids(target.hostname);
    if (kind === null) connect(target, callback);
    else callback(refused(target.hostname, kind), null);
  };
}

function refused(hostname: string, kind: string): AppError {
  return new AppError('image_url_refused', `connecting to ${hostname}: ${addressRule(kind)}`);
}
