/** Errors that several fetchers throw. `name`: what the image is called in messages, see `nameOf`. */
import { AppError } from '../errors.ts';

export function tooLarge(name: string, maxBytes: number): AppError {
  return new AppError(
    'image_too_large',
    `fetching image ${name}: larger than the limit of ${maxBytes} bytes`,
  );
}

export function empty(name: string): AppError {
  return new AppError('image_empty', `fetching image ${name}: it has no bytes`);
}

export function unfetchable(name: string, why: string, cause?: unknown): AppError {
  return new AppError('image_unfetchable', `fetching image ${name}: ${why}`, { cause });
}

export interface Outage {
  why: string;
  /** What `probe` is asked for: `s3://bucket`, `https://host:8443`, `file:///media`. */
  dependency: string;
  cause?: unknown;
}

export function unavailable(name: string, { why, dependency, cause }: Outage): AppError {
  const message = `fetching image ${name}: ${why}`;
  return new AppError('image_store_unavailable', message, { cause, dependency });
}
