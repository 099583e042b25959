/** Renders kustomizations with the machine's own tool, or with a kustomize built once by Go. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';

const KUSTOMIZE = 'sigs.k8s.io/kustomize/kustomize/v5@v5.6.0';

export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
  data?: Record<string, string>;
  spec?: unknown;
}

/** Every object that `folder` renders to, in the order of the output. May take two minutes once. */
export function renderKustomization(folder: string): Manifest[] {
  const [command, ...args] = kustomizeCommand();
  const output = execFileSync(command, [...args, folder], { encoding: 'utf8' });
  return parseAllDocuments(output).map((document) => document.toJS() as Manifest);
}

type Command = [command: string, ...args: string[]];
let found: Command | undefined;

function kustomizeCommand(): Command {
  return (found ??= findKustomize());
}

function findKustomize(): Command {
  if (runs('kubectl', ['kustomize', '--help'])) return ['kubectl', 'kustomize'];
  if (runs('kustomize', ['version'])) return ['kustomize', 'build'];
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const folder = join(cache, 'moderato', 'bin');
  const built = join(folder, 'kustomize');
  if (!existsSync(built)) build(folder);
  return [built, 'build'];
}

function build(folder: string): void {
  if (!runs('go', ['version'])) {
    throw new Error(
      'rendering the Kubernetes manifests needs kubectl, kustomize or Go on the PATH: none was found',
    );
  }
  console.error(`Building kustomize into ${folder} (once, a minute or two) …`);
  mkdirSync(folder, { recursive: true });
  execFileSync('go', ['install', KUSTOMIZE], {
    env: { ...process.env, GOBIN: folder },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

function runs(command: string, args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}
