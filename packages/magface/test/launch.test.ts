/** The files in docs/launch: Kubernetes' own types take each object, as they are generated from its OpenAPI description. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';

const folder = fileURLToPath(new URL('../../../docs/launch/', import.meta.url));
const files = readdirSync(folder);
const named = (ending: RegExp): string[] => files.filter((name) => ending.test(name));
const objectsOf = (file: string) =>
  parseAllDocuments(readFileSync(`${folder}${file}`, 'utf8')).map((document) => document.toJS() as KubernetesObject);

interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
}

/** @returns TypeScript's complaints about the object as a literal, for which it also rejects unknown fields */
function faults(object: KubernetesObject): string[] {
  const { apiVersion, kind } = object;
  const module = `kubernetes-types/${apiVersion.includes('/') ? apiVersion : `core/${apiVersion}`}`;
  const text = `import type { ${kind} } from '${module}';\nexport const object: ${kind} = ${JSON.stringify(object)};\n`;
  const name = `${folder}object.ts`;
  const options = { strict: true, noEmit: true, types: [], moduleResolution: ts.ModuleResolutionKind.Bundler };
  const host = ts.createCompilerHost({ ...options, module: ts.ModuleKind.ESNext });
  const { fileExists, getSourceFile } = host;
  host.fileExists = (file) => file === name || fileExists(file);
  host.getSourceFile = (file, ...rest) =>
    file === name ? ts.createSourceFile(file, text, ts.ScriptTarget.ES2022) : getSourceFile(file, ...rest);
  const program = ts.createProgram([name], { ...options, module: ts.ModuleKind.ESNext }, host);
  return ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

test.each(named(/\.yaml$/))('%s has objects of Kubernetes', (file) => {
  const objects = objectsOf(file);
  expect(objects.map(({ kind }) => kind)).toContain('Job');
  for (const object of objects) expect(faults(object)).toEqual([]);
});

test('finds a field of no such name, a wrong type and a missing field', () => {
  const text = JSON.stringify(objectsOf('kubernetes.yaml').find(({ kind }) => kind === 'Job'));
  const changed = (from: string, to: string): string => {
    expect(text).toContain(from);
    return faults(JSON.parse(text.replace(from, to)) as KubernetesObject).join('\n');
  };
  expect(changed('"mountPath"', '"mountpath"')).toContain('mountpath');
  expect(changed('"value":"8"', '"value":8')).toContain("'number' is not assignable to type 'string'");
  expect(changed('"claimName"', '"name"')).toContain('name');
});

test.each(named(/\.(?:sbatch|sh)$/))('%s has the syntax of its shell', (file) => {
  const shell = /^#!\/bin\/(\w+)/.exec(readFileSync(`${folder}${file}`, 'utf8'))?.[1];
  execFileSync(shell!, ['-n', `${folder}${file}`]);
});
