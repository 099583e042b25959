import { beforeAll, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';

import { isSrgbProfile } from '../../src/images/srgb-profile.ts';

const profiles = new Map<string, Buffer>();

beforeAll(async () => {
  for (const name of ['srgb', 'p3']) {
    const image = sharp({ create: { width: 8, height: 8, channels: 3, background: '#808080' } });
    const { icc } = await sharp(await image.withIccProfile(name).png().toBuffer()).metadata();
    profiles.set(name, icc ?? Buffer.alloc(0));
  }
});
const profileOf = (name: string): Buffer => profiles.get(name) ?? Buffer.alloc(0);

describe('a profile is known as sRGB', () => {
  it('by its numbers, and another is not', () => {
    expect(isSrgbProfile(profileOf('srgb'))).toBe(true);
    expect(isSrgbProfile(profileOf('p3'))).toBe(false);
  });

  it('not when a number is off', () => {
    const profile = Buffer.from(profileOf('srgb'));
    const entry = profile.indexOf('rXYZ', 128, 'latin1');
    profile.writeInt32BE(65_536, profile.readUInt32BE(entry + 4) + 8);
    expect(isSrgbProfile(profile)).toBe(false);
  });

  it('not when it is cut short, whatever is missing', () => {
    const profile = profileOf('srgb');
    const tables = 132 + 12 * profile.readUInt32BE(128);
    for (let length = 0; length < tables + 20; length++) {
      expect(isSrgbProfile(profile.subarray(0, length))).toBe(false);
    }
  });
});
