import { AppError } from '../errors.ts';
import { nameOf } from './reference-name.ts';

/** `uri` as a URL of one of `schemes`. Throws AppError `image_uri_invalid` or `image_scheme_unsupported`. */
export function parseReference(uri: string, schemes: readonly string[]): URL {
  const url = URL.parse(uri);
  if (url === null) {
    throw new AppError('image_uri_invalid', `fetching image ${nameOf(uri)}: not a URI`);
  }
  if (!schemes.includes(url.protocol.slice(0, -1))) {
    throw new AppError(
      'image_scheme_unsupported',
      `fetching image ${nameOf(uri)}: only ${schemes.join(': and ')}: references are served here`,
    );
  }
  return url;
}
