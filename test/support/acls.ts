/** ACLs of a test's broker. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  ResourcePatternTypes,
  type AclEntry,
  type Kafka,
} from 'kafkajs';
import { withAdmin } from '../../src/kafka/topics.ts';

/** `[kind, name, operation]`; a name that ends with `*` is a prefix. */
export type Acl = [
  kind: 'CLUSTER' | 'GROUP' | 'TOPIC' | 'TRANSACTIONAL_ID',
  name: string,
  operation: 'DESCRIBE' | 'DESCRIBE_CONFIGS' | 'IDEMPOTENT_WRITE' | 'READ' | 'WRITE',
];

/** Grants rights and waits until the broker knows them. */
export async function grant(kafka: Kafka, user: string, acls: readonly Acl[]): Promise<void> {
  if (acls.length === 0) return;
  const principal = `User:${user}`;
  const entries: AclEntry[] = acls.map(([kind, name, operation]) => ({
    principal,
    host: '*',
    permissionType: AclPermissionTypes.ALLOW,
    resourceType: AclResourceTypes[kind],
    resourceName: kind === 'CLUSTER' ? 'kafka-cluster' : name.replace(/\*$/, ''),
    resourcePatternType: name.endsWith('*')
      ? ResourcePatternTypes.PREFIXED
      : ResourcePatternTypes.LITERAL,
    operation: AclOperationTypes[operation],
  }));
  await withAdmin(kafka, `granting rights to ${user}`, async (admin) => {
    await admin.createAcls({ acl: entries });
    for (const entry of entries) {
      while ((await admin.describeAcls(entry)).resources.length === 0) await sleep(20);
    }
  });
}
