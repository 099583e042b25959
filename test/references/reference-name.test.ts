import { expect, it } from '@jest/globals';
import { nameOf } from '../../src/references/reference-name.ts';

it.each([
  ['http://a.example/b.jpg', 'http://a.example/b.jpg'],
  ['s3://bucket/a.jpg?versionId=secret', 's3://bucket/a.jpg?…'],
  ['https://a.example/b?X-Amz-Signature=secret', 'https://a.example/b?…'],
  ['https://me:secret@a.example/b', 'https://…@a.example/b'],
  ['https:me:secret@a.example/b', 'https:…@a.example/b'],
  ['https:\\\\secret@a.example/b', 'https:\\\\…@a.example/b'],
  ['https://a.example/b@c', 'https://a.example/b@c'],
  ['https://a.example/?\nsecret', 'https://a.example/?…'],
  [' \0https://me:secret@a.example/b', 'https://…@a.example/b'],
  ['ht\ntp\ts://me:sec\nret@a.example/b', 'https://…@a.example/b'],
  [`https://me:${'secret'.repeat(1_000)}@a.example/b`, 'https://…@a.example/b'],
  ['https://me@x:secret@a.example/b', 'https://…@a.example/b'],
  ['https://a.example/b#secret', 'https://a.example/b#…'],
  ['\tda\nta:image/png,AAAA', 'data:image/png,…'],
  ['data:image/png;base64,AAAA', 'data:image/png;base64,…'],
  [`data:${'x'.repeat(1_000)},AAAA`, `data:${'x'.repeat(55)},…`],
  [`s3://bucket/${'a'.repeat(2_000)}`, `s3://bucket/${'a'.repeat(988)}…`],
])('%s', (uri, name) => {
  expect(nameOf(uri)).toBe(name);
});
