import { readFile } from 'node:fs/promises';
import { AppError, messageOf } from '../errors.ts';
import { formatFaults, readYaml, type YamlFault } from '../yaml-document.ts';
import type { Policy, PolicyBundle } from './bundle.ts';
import { bundleHash } from './canonical-form.ts';
import { bundleSchema, type WrittenBundle } from './policy-schema.ts';

/** Used by a bundle that gives none: the bare prompt beside CLIP's usual sentence. */
const DEFAULT_TEMPLATES: readonly string[] = ['a photo of {}', '{}'];

/** `bundle_invalid`, with everything that is wrong with the file. */
export class BundleError extends AppError {
  readonly faults: readonly YamlFault[];

  constructor(fileName: string, faults: readonly YamlFault[]) {
    const count = faults.length === 1 ? '1 fault' : `${faults.length} faults`;
    const lines = formatFaults(faults, fileName).join('\n');
    super('bundle_invalid', `the policy bundle has ${count}:\n${lines}`);
    this.name = 'BundleError';
    this.faults = faults;
  }
}

/**
 * Reads the policy bundle in a YAML file.
 * Throws AppError `bundle_invalid`: a BundleError for what is written in it, a plain one where it cannot be read.
 */
export async function loadBundle(path: string): Promise<PolicyBundle> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new AppError('bundle_invalid', `reading policy bundle ${path}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return parseBundle(text, path);
}

/** As loadBundle, of a text in hand; `name` stands for the file in faults. Throws BundleError. */
export function parseBundle(text: string, name: string): PolicyBundle {
  const read = readYaml(bundleSchema, text, name);
  if (!read.ok) throw new BundleError(name, read.faults);
  const { version } = read.value;
  const policies = resolved(read.value);
  return { version, hash: bundleHash(version, policies), policies };
}

function resolved({ defaults, policies }: WrittenBundle): Policy[] {
  return policies.map((policy) => ({
    ...policy,
    title: policy.title ?? policy.id,
    templates: policy.templates ?? defaults.templates ?? DEFAULT_TEMPLATES,
    neutral: policy.neutral ?? defaults.neutral ?? null,
    corroboration: policy.corroboration ?? defaults.corroboration ?? 1,
  }));
}
