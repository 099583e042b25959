import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Range = [Address, number];

/** Which IP addresses may be connected to. */
export interface AddressPolicy {
  /** The kind of address that `address` is, when that kind is forbidden; null when it may be connected to. */
  forbids(address: string): string | null;
}

/** The only part of IPv6 that is routed publicly: https://www.iana.org/assignments/ipv6-address-space */
const GLOBAL_IPV6 = ipaddr.parseCIDR('2000::/3');

/** Public by its number, and yet a cloud's own service: Azure's for its virtual machines. */
const CLOUD_SERVICES = [ipaddr.parseCIDR('168.63.129.16/32')];

/**
 * Allows public unicast addresses and nothing else: whatever the registries of special purpose addresses (RFC 6890)
 * hold is forbidden, as are IPv6 addresses that stand for an IPv4 one (mapped, NAT64, 6to4, Teredo, …), which
 * would be a second name for any address forbidden. `allow`: CIDR ranges that may be connected to all the same.
 */
export function createAddressPolicy(allow: readonly string[] = []): AddressPolicy {
  const allowed = allow.map((range) => ipaddr.parseCIDR(range));
  return {
    forbids: (text) => {
      if (isIP(text) === 0) return 'unreadable';
      const address = ipaddr.parse(text);
      if (isIn(allowed, address)) return null;
      if (isIn(CLOUD_SERVICES, address)) return 'cloud service';
      const kind = address.range();
      if (kind !== 'unicast') return inWords(kind);
      return address.kind() === 'ipv4' || isIn([GLOBAL_IPV6], address) ? null : 'not routed';
    },
  };
}

function isIn(ranges: readonly Range[], address: Address): boolean {
  return ranges.some(
    ([network, bits]) => network.kind() === address.kind() && address.match(network, bits),
  );
}

/** `carrierGradeNat` → `carrier grade nat`. */
function inWords(kind: string): string {
  return kind.replaceAll(/(?<=[a-z\d])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
