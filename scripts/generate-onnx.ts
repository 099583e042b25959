/**
 * Writes src/model/onnx.generated.ts from src/model/onnx.proto. Buf and protoc-gen-es are fetched for the occasion:
 * 125 MB that nobody else needs, for a file that changes when a further field of ONNX is wanted.
 */
import { execFileSync } from 'node:child_process';
import { renameSync } from 'node:fs';

const plugin = {
  local: 'protoc-gen-es',
  out: 'src/model',
  opt: ['target=ts', 'import_extension=ts'],
};
const template = JSON.stringify({ version: 'v2', plugins: [plugin] });
const packages = ['@bufbuild/buf@1.75.0', '@bufbuild/protoc-gen-es@2.17.0'];
const run = (command: string, args: readonly string[]): void => {
  execFileSync(command, args, { stdio: 'inherit' });
};

run('npm', [
  'exec',
  '--yes',
  ...packages.map((name) => `--package=${name}`),
  '--',
  ...['buf', 'generate', 'src/model/onnx.proto', '--template', template],
]);
const target = 'src/model/onnx.generated.ts';
renameSync('src/model/onnx_pb.ts', target);
run('npx', ['prettier', '--write', target]);
