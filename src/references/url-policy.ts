import { isIP } from 'node:net';
import { AppError } from '../errors.ts';
import type { AddressPolicy } from './address-policy.ts';
import { nameOf } from './reference-name.ts';

export interface UrlPolicyOptions {
  /** `img.example.com`, or `*.example.com` for every name below `example.com`. IP addresses are written out. */
  allowHosts: readonly string[];
  allowPorts: readonly number[];
  addresses: AddressPolicy;
}

export interface UrlPolicy {
  /**
   * Throws AppError `image_url_refused`, naming the rule, for a URL that must not be asked for; `from` is the URL
   * that redirected to it. What its name resolves to is judged later, when it is connected to.
   */
  check(url: URL, from?: URL): void;
}

const DEFAULT_PORTS: Partial<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/**
 * Judges URLs as the WHATWG parser (https://url.spec.whatwg.org) reads them, which is how they are asked for: it
 * has turned `0x7f.1`, `2130706433`, fullwidth digits and percent-encoding into `127.0.0.1`, and IDNs into ASCII.
 */
export function createUrlPolicy({
  allowHosts,
  allowPorts,
  addresses,
}: UrlPolicyOptions): UrlPolicy {
  const isAllowed = hostMatcher(allowHosts);

  function brokenRule(url: URL, from?: URL): string | null {
    const defaultPort = DEFAULT_PORTS[url.protocol];
    if (defaultPort === undefined) return `only http and https are asked for, not ${url.protocol}`;
    if (from?.protocol === 'https:' && url.protocol === 'http:') return 'from https to http';
    if (url.username !== '' || url.password !== '') return 'a user name or password in the URL';
    const port = url.port === '' ? defaultPort : Number(url.port);
    if (!allowPorts.includes(port)) return `port ${port} is not among images.http.allowPorts`;
    if (!isAllowed(url.hostname)) return 'its host is not among images.http.allowHosts';
    const literal = url.hostname.replaceAll(/[[\]]/g, '');
    const kind = isIP(literal) === 0 ? null : addresses.forbids(literal);
    return kind === null ? null : addressRule(kind);
  }

  return {
    check: (url, from) => {
      const rule = brokenRule(url, from);
      if (rule === null) return;
      const way = from === undefined ? '' : `redirected by ${from.host}: `;
      throw new AppError('image_url_refused', `fetching image ${nameOf(url.href)}: ${way}${rule}`);
    },
  };
}

/** What is said of a host at a forbidden kind of address; the address itself is nobody's business. */
export function addressRule(kind: string): string {
  return `its host is at an address that must not be connected to (${kind}); if it is yours, see images.http.allowAddresses`;
}

function hostMatcher(patterns: readonly string[]): (host: string) => boolean {
  const exact = new Set<string>();
  const suffixes: string[] = [];
  for (const pattern of patterns) {
    if (pattern.startsWith('*.')) suffixes.push(`.${normalHost(pattern.slice(2))}`);
    else exact.add(normalHost(pattern));
  }
  return (host) => {
    const name = withoutDot(host);
    return exact.has(name) || suffixes.some((suffix) => name.endsWith(suffix));
  };
}

/** As URLs have it. */
function normalHost(host: string): string {
  return withoutDot(new URL(`http://${host}`).hostname);
}

/** A dot at the end makes a name absolute and names the same host. */
function withoutDot(host: string): string {
  return host.replace(/\.$/, '');
}
