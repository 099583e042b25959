import { AppError } from '../errors.ts';
import { causes, kafkaError } from '../kafka/errors.ts';

/** After these kafkajs joins the group anew: our generation is over. */
const MEMBERSHIP_OVER = new Set([
  'REBALANCE_IN_PROGRESS',
  'ILLEGAL_GENERATION',
  'NOT_COORDINATOR_FOR_GROUP',
  'UNKNOWN_MEMBER_ID',
]);

/** True for an answer to a heartbeat that says: join the group again. */
export function endsMembership(error: unknown): boolean {
  return [...causes(error)].some(
    ({ type }) => typeof type === 'string' && MEMBERSHIP_OVER.has(type),
  );
}

/** Why a consumer crashed, as an AppError: a missing topic or refused access by its own code. */
export function crashError(error: unknown, topic: string): AppError {
  const known = kafkaError(error, `consuming ${topic}`);
  if (known instanceof AppError && known.code !== 'kafka_unavailable') return known;
  const message =
    known instanceof AppError ? known.message : `consuming ${topic}: ${known.message}`;
  return new AppError('consumer_crashed', message, { cause: error });
}

/** True when starting again cannot help. */
export function isHopeless(error: unknown, topic: string): boolean {
  return crashError(error, topic).code !== 'consumer_crashed';
}
