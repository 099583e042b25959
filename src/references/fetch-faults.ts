/** What the fetchers say alike. `name`: what the image is called in messages. */
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

export function unavailable(name: string, why: string, cause?: unknown): AppError {
  return new AppError('image_store_unavailable', `fetching image ${name}: ${why}`, { cause });
}
