import { AppError } from '../../errors.ts';
import { protocolType } from '../errors.ts';

/**
 * AppError `config_invalid` when another process has taken the instance id of this member, else `error` itself: joining
 * again would take the id from the other process, and so on for ever.
 */
export function explainFencing(
  error: unknown,
  { groupId, instanceId }: { groupId: string; instanceId?: string | undefined },
): unknown {
  if (protocolType(error) !== 'FENCED_INSTANCE_ID') return error;
  return new AppError(
    'config_invalid',
    `consuming in group ${groupId}: another process has joined with kafka.instanceId ${instanceId}, so this one ends; give every process an instance id of its own`,
    { cause: error },
  );
}
