import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

import { SHARED_CAPACITY } from './shared-bytes.ts';

/**
 * What keeps a decoder process that an image has taken over from doing harm, beside its short environment: tools of
 * util-linux that drop rights and then become the process, and Node's permission model.
 */

/** Each runs what follows its arguments, in its own place. */
const TOOLS: Array<[string, ...string[]]> = [
  // No network, and no look into processes outside: neither memory nor environment of the service.
  ['unshare', '--user', '--map-current-user', '--net', '--ipc', '--'],
  // No core dump of a picture, few files, none larger than what is handed over.
  ['prlimit', '--core=0', '--nofile=128', `--fsize=${SHARED_CAPACITY}`, '--'],
  // A decoder that spins does not notice that its parent has ended.
  ['setpriv', '--no-new-privs', '--inh-caps=-all', '--bounding-set=-all', '--pdeathsig=KILL', '--'],
];
const FOLDERS = ['/usr/bin', '/bin', '/usr/sbin'];
const PROBE_MS = 5_000;

let tools: string[][] | undefined;

/** The command that starts Node under those of the tools that are here and permitted; found out once. */
export function confinedNode(): string[] {
  tools ??= process.platform === 'linux' ? workingTools() : [];
  return [...tools.flat(), process.execPath];
}

/** The names of the tools that are in use. */
export function confinedBy(): string[] {
  confinedNode();
  return (tools ?? []).map(([path = '']) => path.slice(path.lastIndexOf('/') + 1));
}

function workingTools(): string[][] {
  const working: string[][] = [];
  for (const [name, ...args] of TOOLS) {
    const path = FOLDERS.map((folder) => join(folder, name)).find((file) => existsSync(file));
    if (path === undefined) continue;
    const chain = [...working.flat(), path, ...args, process.execPath, '--version'];
    const { status } = spawnSync(chain[0] as string, chain.slice(1), {
      stdio: 'ignore',
      timeout: PROBE_MS,
    });
    if (status === 0) working.push([path, ...args]);
  }
  return working;
}

/** Node's options that let the process read its own program and sharp, and write, start and connect to nothing. */
export function permissionOptions(script: string): string[] {
  const here = fileURLToPath(import.meta.url);
  const sources = dirname(dirname(here));
  const sharp = createRequire(here).resolve('sharp');
  // The outermost, for package managers that keep packages elsewhere in it and link to them.
  const end = sharp.indexOf(`${sep}node_modules${sep}`);
  const packages = end < 0 ? dirname(sharp) : sharp.slice(0, end + `${sep}node_modules`.length);
  // How sharp tells which C library this is.
  const readable = [dirname(script), sources, packages, '/usr/bin/ldd'];
  return [
    '--permission',
    // sharp is one. It is not bound by the permissions; the tools above are for that.
    '--allow-addons',
    '--disable-warning=PERM0001',
    ...readable.map((path) => `--allow-fs-read=${path}`),
  ];
}

/**
 * File descriptors of this process that a child would inherit, those of standard streams left out: Node's own are
 * closed on exec, but not what this process inherited itself and no library looked at. proc_pid_fdinfo(5).
 */
export function inheritableDescriptors(): number[] {
  const CLOSED_ON_EXEC = 0o2000000;
  try {
    return readdirSync('/proc/self/fd')
      .map(Number)
      .filter((fd) => fd > 2 && !(flagsOf(fd) & CLOSED_ON_EXEC));
  } catch {
    return [];
  }
}

function flagsOf(fd: number): number {
  try {
    const flags = /^flags:\s+([0-7]+)$/m.exec(
      readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'),
    )?.[1];
    return Number.parseInt(flags ?? '', 8);
  } catch {
    // Closed meanwhile, as the folder is that was read above.
    return 0o2000000;
  }
}
