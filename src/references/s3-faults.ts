import type { S3ServiceException } from '@aws-sdk/client-s3';
import { AppError, messageOf, type ErrorCode } from '../errors.ts';
import { networkCode } from './network-faults.ts';

/** What S3 says of an object: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
const FAULTS_OF_THE_OBJECT: Partial<Record<string, ErrorCode>> = {
  NoSuchKey: 'image_not_found',
  NoSuchBucket: 'image_not_found',
  NoSuchVersion: 'image_not_found',
  NotFound: 'image_not_found',
  MethodNotAllowed: 'image_not_found', // of a version that is a delete marker
  AccessDenied: 'image_forbidden',
  InvalidObjectState: 'image_unfetchable', // archived
  KeyTooLongError: 'image_uri_invalid',
  InvalidBucketName: 'image_uri_invalid',
  InvalidArgument: 'image_uri_invalid', // of a version id
};

/** What it says with a 4xx of those who ask, or of itself. Not of the image: it could be read once that is mended. */
const FAULTS_OF_THE_STORE: Partial<Record<string, string>> = {
  InvalidAccessKeyId: 'check the credentials',
  SignatureDoesNotMatch: 'check the credentials',
  ExpiredToken: 'the credentials have expired',
  InvalidToken: 'check the credentials',
  TokenRefreshRequired: 'the credentials have expired',
  RequestTimeTooSkewed: 'check the clock',
  RequestTimeout: 'it is tried again',
  PermanentRedirect: 'check images.s3.region and images.s3.endpoint',
  AuthorizationHeaderMalformed: 'check images.s3.region',
};

/**
 * The coded form of an error of the AWS SDK; any other comes back as it is. `answer` is the error where S3 itself
 * answered, and null where it was the network, or a service that gives credentials.
 */
export function s3Fault(name: string, error: unknown, answer: S3ServiceException | null): unknown {
  const fault = (code: ErrorCode, why: string): AppError =>
    new AppError(code, `fetching image ${name}: ${why}`, { cause: error });

  if (answer !== null) {
    const status = answer.$metadata.httpStatusCode ?? 0;
    const said = `S3 answered ${status} ${answer.name}`;
    const code = FAULTS_OF_THE_OBJECT[answer.name];
    if (code !== undefined) return fault(code, said);
    const remedy = FAULTS_OF_THE_STORE[answer.name];
    if (remedy !== undefined) return fault('image_store_unavailable', `${said}; ${remedy}`);
    // Under names of their own, stores answer 403 and 404 to credentials too.
    const isOfTheRequest = status >= 400 && status < 500 && ![403, 404, 408, 429].includes(status);
    return fault(isOfTheRequest ? 'image_unfetchable' : 'image_store_unavailable', said);
  }
  const code = networkCode(error);
  if (code !== null) return fault('image_store_unavailable', `no whole answer (${code})`);
  if (nameOf(error) === 'EndpointError') return fault('image_uri_invalid', messageOf(error));
  if (isSdkFault(error)) return fault('image_store_unavailable', messageOf(error));
  return error;
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : '';
}

/** A time limit of the SDK's, an answer that was no S3, or no credentials to be had. */
function isSdkFault(error: unknown): boolean {
  const { $metadata } = error as { $metadata?: { httpStatusCode?: number } };
  return (
    ['TimeoutError', 'CredentialsProviderError', 'TokenProviderError'].includes(nameOf(error)) ||
    $metadata?.httpStatusCode !== undefined
  );
}
