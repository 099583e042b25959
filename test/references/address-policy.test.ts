import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createAddressPolicy } from '../../src/references/address-policy.ts';

const policy = createAddressPolicy();

/** The first and the last address of each range, and what they are called. */
const FORBIDDEN: Array<[string, string, string]> = [
  ['0.0.0.0', '0.255.255.255', 'unspecified'],
  ['10.0.0.0', '10.255.255.255', 'private'],
  ['100.64.0.0', '100.127.255.255', 'carrier grade nat'],
  ['127.0.0.0', '127.255.255.255', 'loopback'],
  ['168.63.129.16', '168.63.129.16', 'cloud service'],
  ['169.254.0.0', '169.254.255.255', 'link local'],
  ['172.16.0.0', '172.31.255.255', 'private'],
  ['192.0.0.0', '192.0.0.255', 'reserved'],
  ['192.0.2.0', '192.0.2.255', 'reserved'],
  ['192.88.99.0', '192.88.99.255', 'reserved'],
  ['192.168.0.0', '192.168.255.255', 'private'],
  ['198.18.0.0', '198.19.255.255', 'reserved'],
  ['198.51.100.0', '198.51.100.255', 'reserved'],
  ['203.0.113.0', '203.0.113.255', 'reserved'],
  ['224.0.0.0', '239.255.255.255', 'multicast'],
  ['240.0.0.0', '255.255.255.254', 'reserved'],
  ['255.255.255.255', '255.255.255.255', 'broadcast'],
  ['::', '::', 'unspecified'],
  ['::1', '::1', 'loopback'],
  ['::2', '::fffe:ffff:ffff', 'not routed'],
  ['::ffff:0.0.0.0', '::ffff:255.255.255.255', 'ipv4 mapped'],
  ['64:ff9b::', '64:ff9b::ffff:ffff', 'rfc6052'],
  ['64:ff9b:1::', '64:ff9b:1:ffff:ffff:ffff:ffff:ffff', 'rfc6052'],
  ['100::', '100::ffff:ffff:ffff:ffff', 'discard'],
  ['2001::', '2001:0:ffff:ffff:ffff:ffff:ffff:ffff', 'teredo'],
  ['2001:2::', '2001:2:0:ffff:ffff:ffff:ffff:ffff', 'benchmarking'],
  ['2001:db8::', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff', 'reserved'],
  ['2002::', '2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff', '6to4'],
  ['3fff::', '3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff', 'reserved'],
  ['4000::', '5eff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'not routed'],
  ['fc00::', 'fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'unique local'],
  ['fe80::', 'febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'link local'],
  ['fec0::', 'feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'deprecated site local'],
  ['ff00::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'multicast'],
];

/** Where clouds keep the credentials of their machines. */
const METADATA = [
  '169.254.169.254',
  '169.254.170.2',
  '100.100.100.200',
  '192.0.0.192',
  'fd00:ec2::254',
];

describe('forbids', () => {
  it.each(FORBIDDEN)('%s to %s: %s', (first, last, kind) => {
    expect([policy.forbids(first), policy.forbids(last)]).toEqual([kind, kind]);
  });

  it.each(METADATA)('the metadata service %s', (address) => {
    expect(policy.forbids(address)).not.toBeNull();
  });

  it.each(['', 'localhost', '1.2.3', '1.2.3.4.5', 'fe80::1%eth0', '1.2.3.4/32'])(
    'what is no address: %j',
    (text) => {
      expect(policy.forbids(text)).not.toBeNull();
    },
  );
});

it.each(['1.1.1.1', '8.8.8.8', '93.184.216.34', '172.15.255.255', '172.32.0.0', '2606:4700::1111'])(
  'allows %s',
  (address) => {
    expect(policy.forbids(address)).toBeNull();
  },
);

it('forbids every IPv4 address in the clothes of an IPv6 one', () => {
  fc.assert(
    fc.property(fc.ipV4(), fc.constantFrom('::ffff:', '::', '64:ff9b::'), (address, prefix) => {
      expect(policy.forbids(`${prefix}${address}`)).not.toBeNull();
    }),
  );
});

it('allows exactly the ranges that it is told to, and no IPv6 form of them', () => {
  const opened = createAddressPolicy(['10.1.0.0/16', 'fd00:1::/32']);
  expect(opened.forbids('10.1.255.255')).toBeNull();
  expect(opened.forbids('fd00:1::5')).toBeNull();
  expect(opened.forbids('10.2.0.0')).toBe('private');
  expect(opened.forbids('fd00:2::5')).toBe('unique local');
  expect(opened.forbids('::ffff:10.1.0.1')).toBe('ipv4 mapped');
});
