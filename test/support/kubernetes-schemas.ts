/**
 * Holds a manifest against Kubernetes' own API schemas and those of the custom resources that are used.
 * The schemas allow keys they do not know, which an API server drops or refuses; so the same manifest is also
 * compiled against their TypeScript types, which refuse them.
 */
import ts from 'typescript';
import type { Manifest } from './kustomize.ts';

const CUSTOM: Record<string, string> = {
  'keda.sh': '@kubernetes-models/keda',
  'monitoring.coreos.com': '@kubernetes-models/prometheus-operator',
};

interface Model {
  validate(): void;
}

/** What is wrong with each of the manifests, as `Kind/name: fault`; empty when nothing is. */
export async function manifestFaults(manifests: readonly Manifest[]): Promise<string[]> {
  const faults: string[] = [];
  for (const manifest of manifests) {
    try {
      const module = (await import(moduleOf(manifest))) as Record<
        string,
        new (data: Manifest) => Model
      >;
      const Kind = module[manifest.kind];
      if (!Kind) throw new Error(`no such kind in ${manifest.apiVersion}`);
      new Kind(manifest).validate();
    } catch (error) {
      faults.push(`${nameOf(manifest)}: ${(error as Error).message}`);
    }
  }
  return faults.length > 0 ? faults : typeFaults(manifests);
}

function moduleOf({ apiVersion }: Manifest): string {
  const group = apiVersion.split('/')[0] ?? '';
  return `${CUSTOM[group] ?? 'kubernetes-models'}/${apiVersion}`;
}

function nameOf({ kind, metadata }: Manifest): string {
  return `${kind}/${metadata.name}`;
}

function typeFaults(manifests: readonly Manifest[]): string[] {
  const file = `${import.meta.dirname}/manifests.in-memory.ts`;
  const lines = manifests.map(
    (manifest, index) =>
      `const m${index}: import('${moduleOf(manifest)}').I${manifest.kind} = ${JSON.stringify(manifest)};`,
  );
  const options: ts.CompilerOptions = {
    noEmit: true,
    strict: true,
    skipLibCheck: true,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2024,
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const getSourceFile = host.getSourceFile.bind(host);
  const fileExists = host.fileExists.bind(host);
  const source = ts.createSourceFile(file, lines.join('\n'), ts.ScriptTarget.ES2024);
  host.getSourceFile = (name, ...rest) => (name === file ? source : getSourceFile(name, ...rest));
  host.fileExists = (name) => name === file || fileExists(name);
  const program = ts.createProgram([file], options, host);
  return ts.getPreEmitDiagnostics(program).map((diagnostic) => {
    const text = ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n');
    const line = source.getLineAndCharacterOfPosition(diagnostic.start ?? 0).line;
    const manifest = manifests[line];
    return `${manifest ? nameOf(manifest) : 'manifests'}: ${text}`;
  });
}
