import { AppError, type ErrorCode } from '../errors.ts';
import { unavailable, unfetchable } from './fetch-faults.ts';
import { fieldOf, type LibraryFault } from './library-fault.ts';
import { exchangeKind } from './network-faults.ts';

/** What S3 says of an object: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
const FAULTS_OF_THE_OBJECT = new Map<string, ErrorCode>([
  ['NoSuchKey', 'image_not_found'],
  ['NoSuchBucket', 'image_not_found'],
  ['NoSuchVersion', 'image_not_found'],
  ['NotFound', 'image_not_found'],
  ['MethodNotAllowed', 'image_not_found'], // the version is a delete marker
  ['AccessDenied', 'image_forbidden'],
  ['AllAccessDisabled', 'image_forbidden'],
  ['InvalidObjectState', 'image_unfetchable'], // archived
  ['KeyTooLongError', 'image_uri_invalid'],
  ['InvalidBucketName', 'image_uri_invalid'],
  ['InvalidArgument', 'image_uri_invalid'], // the version id
]);

const CREDENTIALS = 'check the credentials';
const EXPIRED = 'the credentials have expired';
const BUSY = 'it is tried again';

/** What it says with a 4xx of the credentials or of itself: no object can be read until that is over. */
const FAULTS_OF_THE_STORE = new Map<string, string>([
  ['InvalidAccessKeyId', CREDENTIALS],
  ['SignatureDoesNotMatch', CREDENTIALS],
  ['InvalidToken', CREDENTIALS],
  ['UnrecognizedClientException', CREDENTIALS],
  ['XAdminUserNotFound', CREDENTIALS], // versitygw
  ['NotSignedUp', CREDENTIALS],
  ['AccountProblem', CREDENTIALS],
  ['ExpiredToken', EXPIRED],
  ['ExpiredTokenException', EXPIRED],
  ['TokenRefreshRequired', EXPIRED],
  ['RequestExpired', 'check the clock'],
  ['RequestTimeTooSkewed', 'check the clock'],
  ['RequestTimeout', BUSY],
  ['SlowDown', BUSY],
  ['Throttling', BUSY],
  ['ThrottlingException', BUSY],
  ['RequestLimitExceeded', BUSY],
  ['BandwidthLimitExceeded', BUSY],
  ['ServiceUnavailable', BUSY],
  ['InternalError', BUSY],
]);

/** Errors of the SDK before it asks S3 for anything: a time limit, or credentials that cannot be had. */
const FAULTS_OF_THE_SDK = new Set([
  'TimeoutError',
  'CredentialsProviderError',
  'TokenProviderError',
]);

export interface S3Occasion {
  /** What the image is called in messages. */
  name: string;
  /** `s3://bucket` */
  dependency: string;
  /** Status of S3's answer; 0 when there was none, so that the error is the network's or the SDK's. */
  status: number;
  /** Whether the error is an answer of another service: the one that gives credentials. */
  isOfOtherService: boolean;
}

/** The coded form of an error of the AWS SDK, whatever it is. */
export function s3Fault(occasion: S3Occasion, fault: LibraryFault): AppError {
  const { name, dependency, status, isOfOtherService } = occasion;
  const { cause } = fault;
  const kind = nameOfError(cause);
  const away = (why: string): AppError => unavailable(name, { why, dependency, cause });

  if (status > 0) {
    const said = `S3 answered ${status} ${kind}`;
    const remedy = FAULTS_OF_THE_STORE.get(kind);
    if (remedy !== undefined) return away(`${said}; ${remedy}`);
    const code = FAULTS_OF_THE_OBJECT.get(kind) ?? statusCode(status);
    if (code === 'image_store_unavailable') return away(said);
    return new AppError(code, `fetching image ${name}: ${said}`, { cause });
  }
  if (isOfOtherService || FAULTS_OF_THE_SDK.has(kind))
    return away(`no credentials, or no answer in time (${kind})`);
  if (kind === 'EndpointError') {
    const why = 'its bucket has no address in the region';
    return new AppError('image_uri_invalid', `fetching image ${name}: ${why}`, { cause });
  }
  if (exchangeKind(fault.code) === 'away') return away(`no whole answer (${fault.code})`);
  return unfetchable(name, `what was asked or answered is not understood (${fault.code})`, cause);
}

/** For names of errors that are not in the tables, and answers that are not S3's XML. */
function statusCode(status: number): ErrorCode {
  if (status === 404 || status === 410) return 'image_not_found';
  if (status === 401 || status === 403) return 'image_forbidden';
  if (status === 408 || status === 429 || status >= 500) return 'image_store_unavailable';
  return 'image_unfetchable';
}

const LONGEST_NAME = 100;

/** The `<Code>` of S3's answer, which the SDK makes the error's name. */
function nameOfError(error: unknown): string {
  const name = fieldOf(error, 'name');
  return typeof name === 'string' ? name.slice(0, LONGEST_NAME) : 'unknown error';
}
