import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createDataFetcher } from '../../src/references/data-fetcher.ts';
import { selfContainedConformance } from '../support/image-fetcher-conformance.ts';

const MAX_BYTES = 100;
const fetcher = createDataFetcher({ maxBytes: MAX_BYTES });

const inBase64 = (bytes: Buffer): string => `data:image/png;base64,${bytes.toString('base64')}`;
const percentEncoded = (bytes: Buffer): string =>
  `data:,${[...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')}`;

describe.each([
  ['in base64', inBase64],
  ['in base64, percent-encoded', (bytes: Buffer) => encodedBase64(bytes)],
  ['percent-encoded', percentEncoded],
])('%s', (way, encode) => {
  selfContainedConformance(`the data fetcher ${way}`, () =>
    Promise.resolve({
      fetcher,
      maxBytes: MAX_BYTES,
      put: (_, bytes) => Promise.resolve(encode(bytes)),
    }),
  );

  it('gives back any bytes, and refuses them by their own length only', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 40 }), async (array) => {
        const bytes = Buffer.from(array);
        const uri = encode(bytes);
        const just = createDataFetcher({ maxBytes: bytes.length });
        const less = createDataFetcher({ maxBytes: bytes.length - 1 });
        await expect(just.fetch(uri)).resolves.toEqual(bytes);
        await expect(less.fetch(uri)).rejects.toMatchObject({ code: 'image_too_large' });
      }),
    );
  });
});

function encodedBase64(bytes: Buffer): string {
  return `data:;base64,${encodeURIComponent(bytes.toString('base64'))}`;
}

it.each([
  ['without a media type', 'data:,a', 'a'],
  ['with parameters', 'data:text/plain;charset=utf-8;base64,YQ==', 'a'],
  ['without its padding', 'data:;base64,YQ', 'a'],
  ['in capitals', 'DATA:;BASE64,YQ==', 'a'],
  ['with a comma in its data', 'data:,a,b', 'a,b'],
  ['that only looks like base64', 'data:base64,YQ==', 'YQ=='],
  ['with spaces before base64', 'data:image/png;  base64,YQ==', 'a'],
  ['with a space behind base64', 'data:image/png;base64 ,YQ==', 'a'],
  ['with another parameter behind base64', 'data:;base64;a=b,YQ==', 'YQ=='],
  ['with line breaks in its base64', 'data:;base64,Y\r\nW\tI=', 'ab'],
  ['with encoded line breaks in its base64', 'data:;base64,YW%0D%0AI%3D', 'ab'],
  ['with spaces in its base64', 'data:;base64,Y W I =', 'ab'],
  ['with percent-encoded base64', 'data:;base64,%59%51%3d%3D', 'a'],
  ['with a % that begins nothing', 'data:,50%', '50%'],
  ['with a space', 'data:,a b', 'a b'],
  ['with a question mark', 'data:,a?b', 'a?b'],
  ['with what is not ASCII', 'data:,ü', 'ü'],
  ['with a fragment', 'data:,a#b', 'a'],
  ['with spaces around it', ' data:,a ', 'a'],
  ['with a slash behind its scheme', 'data:/,a', 'a'],
  ['with a type that is none', 'data:no type at all,a', 'a'],
])('serves a reference %s', async (_, uri, content) => {
  await expect(fetcher.fetch(uri)).resolves.toEqual(Buffer.from(content));
});

it.each([
  ['without a comma', 'data:image/png;base64'],
  ['with letters that base64 does not have', 'data:;base64,YQ_-'],
  ['of a length that base64 cannot have', 'data:;base64,YWFhY'],
  ['with padding in the midst', 'data:;base64,YQ==YQ=='],
  ['with one padding where two belong', 'data:;base64,YQ='],
  ['with padding alone', 'data:;base64,='],
  ['with a fragment before its comma', 'data:#,a'],
])('refuses a reference %s', async (_, uri) => {
  await expect(fetcher.fetch(uri)).rejects.toMatchObject({ code: 'image_uri_invalid' });
});

it('does not repeat megabytes of a reference in its message', async () => {
  const uri = `data:image/png;base64,${'A'.repeat(10_000_000)}`;
  await expect(fetcher.fetch(uri)).rejects.toMatchObject({
    code: 'image_too_large',
    message: 'fetching image data:image/png;base64,…: larger than the limit of 100 bytes',
  });
});
