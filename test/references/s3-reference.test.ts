import { expect, it } from '@jest/globals';
import { parseS3Reference } from '../../src/references/s3-reference.ts';

it.each([
  ['s3://bucket/a.jpg', 'bucket', 'a.jpg', undefined],
  ['S3://bucket/folder/a.jpg', 'bucket', 'folder/a.jpg', undefined],
  ['s3://my.bucket-1/a.jpg?versionId=v%2B1', 'my.bucket-1', 'a.jpg', 'v+1'],
  ['s3://bucket/a%20b%2Fc%25%3F%23.jpg', 'bucket', 'a b/c%?#.jpg', undefined],
  ['s3://bucket/a b+ü.jpg', 'bucket', 'a b+ü.jpg', undefined],
  ['s3://bucket//a//b/', 'bucket', '/a//b/', undefined],
  ['s3://bucket/a..b/...c', 'bucket', 'a..b/...c', undefined],
])('%s', (uri, bucket, key, versionId) => {
  expect(parseS3Reference(uri)).toEqual({ bucket, key, versionId });
});

it.each([
  ['no key', 's3://bucket'],
  ['an empty key', 's3://bucket/'],
  ['no bucket', 's3:///a.jpg'],
  ['no authority', 's3:bucket/a.jpg'],
  ['a bucket that would lead to another host', 's3://evil.example:80/a.jpg'],
  ['a user', 's3://me@bucket/a.jpg'],
  ['a bucket of one letter', 's3://b/a.jpg'],
  ['a fragment', 's3://bucket/a.jpg#1'],
  ['an unknown parameter', 's3://bucket/a.jpg?partNumber=1'],
  ['a second parameter', 's3://bucket/a.jpg?versionId=1&x=2'],
  ['a version twice', 's3://bucket/a.jpg?versionId=1&versionId=2'],
  ['a way out of the bucket', 's3://bucket/../other/a.jpg'],
  ['an encoded way out of the bucket', 's3://bucket/%2e%2e%2fother/a.jpg'],
  ['a part that is a dot', 's3://bucket/./a.jpg'],
  ['a NUL', 's3://bucket/a%00.jpg'],
  ['a % that begins nothing', 's3://bucket/50%.jpg'],
  ['bytes that are no UTF-8', 's3://bucket/%ff.jpg'],
  ['a key that is too long', `s3://bucket/${'a'.repeat(1_025)}`],
])('refuses %s: %s', (_, uri) => {
  expect(() => parseS3Reference(uri)).toThrow(
    expect.objectContaining({ code: 'image_uri_invalid' }),
  );
});
