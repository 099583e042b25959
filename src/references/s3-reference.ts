import { AppError } from '../errors.ts';
import { parseReference } from './parse-reference.ts';
import { nameOf } from './reference-name.ts';

export interface S3Object {
  bucket: string;
  key: string;
  versionId: string | undefined;
}

const S3_URI = /^s3:\/\/([^/?#]*)\/([^?#]*)(?:\?([^#]*))?$/i;
/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html, and the names of before 2018. */
const BUCKET = /^[a-z0-9][a-z0-9._-]{1,253}[a-z0-9]$/i;
const LONGEST_KEY = 1_024;

/**
 * `s3://bucket/key?versionId=…`, the key percent-encoded as in any URI (RFC 3986): `%`, `?` and `#` of a key are
 * written `%25`, `%3F` and `%23`, and all else may be. Throws AppError `image_uri_invalid` or
 * `image_scheme_unsupported`.
 */
export function parseS3Reference(uri: string): S3Object {
  parseReference(uri, ['s3']);
  const [, bucket = '', rawKey = '', query = ''] = S3_URI.exec(uri) ?? [];
  const parameters = new URLSearchParams(query);
  const versionId = parameters.get('versionId') ?? undefined;
  if (parameters.size > (versionId === undefined ? 0 : 1)) {
    throw invalid(uri, 'versionId is the only parameter known');
  }
  if (!BUCKET.test(bucket)) throw invalid(uri, 'expected s3://bucket/key');
  const key = decodeKey(uri, rawKey);
  if (key === '' || Buffer.byteLength(key) > LONGEST_KEY) {
    throw invalid(uri, `a key has 1 to ${LONGEST_KEY} bytes`);
  }
  // A gateway that tidies paths up would read them as another key, or as a key of another bucket.
  if (/(^|\/)\.\.?(\/|$)/.test(key) || key.includes('\0')) {
    throw invalid(uri, 'its key has a NUL, or a part that is . or ..');
  }
  return { bucket, key, versionId };
}

/** The bucket of what may be an `s3:` reference. */
export function bucketOf(uri: string): string | undefined {
  const bucket = S3_URI.exec(uri)?.[1];
  return bucket !== undefined && BUCKET.test(bucket) ? bucket : undefined;
}

function decodeKey(uri: string, rawKey: string): string {
  try {
    return decodeURIComponent(rawKey);
  } catch {
    throw invalid(uri, 'its key is not percent-encoded UTF-8; write % as %25');
  }
}

function invalid(uri: string, why: string): AppError {
  return new AppError('image_uri_invalid', `fetching image ${nameOf(uri)}: ${why}`);
}
